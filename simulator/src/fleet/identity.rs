//! Who the gateways of a fleet are: names, places, enterprises and first keys, all by number and seed.
//!
//! A first key follows from the seed, so that a fleet can be enrolled in one run and sent out in another without keeping
//! a file for each gateway. Every later key is random, as an agent's.

use coldhearth::{
    evidence::{Ed25519, Kind, Signer as _, Topic},
    terms::{
        Digest, GatewayId,
        place::{CreditCode, Division},
    },
};

/// Provinces of the fleet: the first two digits of their division codes (GB/T 2260).
const PROVINCES: [u32; 12] = [13, 14, 15, 21, 32, 37, 41, 42, 45, 51, 53, 61];
/// Prefectures in each province of the fleet.
const PREFECTURES: u32 = 11;
/// Counties in each prefecture of the fleet.
const COUNTIES: u32 = 9;
/// Gateways of one enterprise.
const GATEWAYS: u32 = 2;

/// A gateway of the fleet.
pub(super) struct Identity {
    /// Its number, from 0.
    pub number: u32,
    /// Its identifier.
    pub id: GatewayId,
    /// Its county.
    pub division: Division,
    /// Its enterprise.
    pub enterprise: CreditCode,
    seed: [u8; 32],
}

impl Identity {
    /// The gateway of a number; `None` only for a number beyond what names hold.
    pub(super) fn of(seed: u64, number: u32) -> Option<Identity> {
        let plant = number / GATEWAYS;
        let province = PROVINCES.get(usize::try_from(plant).ok()? % PROVINCES.len())?;
        let plant_there = plant / 12;
        let prefecture = 1 + plant_there % PREFECTURES;
        let county = 21 + plant_there / PREFECTURES % COUNTIES;
        let division = format!("{province:02}{prefecture:02}{county:02}");
        let key = Digest::of(format!("coldhearth fleet {seed} {number}").as_bytes());
        Some(Identity {
            number,
            id: GatewayId::new(&format!("gw-{number:05}"))?,
            division: Division::parse(&division)?,
            enterprise: credit_code(&division, plant)?,
            seed: key.0,
        })
    }

    /// The key it is enrolled with.
    pub(super) fn first_key(&self) -> Ed25519 {
        Ed25519::from_seed(&self.seed)
    }

    /// Its line of the list that an authority admits: identifier, public key, fingerprint.
    pub(super) fn line(&self) -> String {
        let key = self.first_key().public_key();
        format!("{} {} {}", self.id, key.to_base64(), key.fingerprint())
    }

    /// Its place, as the topics of its records begin, and its identifier.
    pub(super) fn place(&self) -> String {
        let Identity { id, division, enterprise, .. } = self;
        let topic = Topic {
            division: *division,
            enterprise: *enterprise,
            gateway: *id,
            asset: None,
            kind: Kind::Attest,
        };
        let levels: Vec<String> = topic.to_string().split('/').skip(2).take(5).map(str::to_owned).collect();
        format!("{} {id}", levels.join("/"))
    }
}

/// A code of the enterprise with the check symbol GB 32100 computes.
fn credit_code(division: &str, plant: u32) -> Option<CreditCode> {
    let checked = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().filter_map(|check| {
        CreditCode::parse(&format!("91{division}{plant:09}{check}")).filter(CreditCode::check_symbol_fits)
    });
    checked.into_iter().next()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ten_thousand_gateways_are_ten_thousand() {
        let fleet: Vec<Identity> = (0..10_000).map(|number| Identity::of(7, number).unwrap()).collect();
        let ids: BTreeSet<_> = fleet.iter().map(|gateway| gateway.id).collect();
        let keys: BTreeSet<_> =
            fleet.iter().map(|gateway| gateway.first_key().public_key().to_base64()).collect();
        let counties: BTreeSet<_> = fleet.iter().map(|gateway| gateway.division).collect();
        let enterprises: BTreeSet<_> = fleet.iter().map(|gateway| gateway.enterprise).collect();
        assert_eq!(
            (ids.len(), keys.len(), counties.len(), enterprises.len()),
            (10_000, 10_000, 1_188, 5_000)
        );
        assert_ne!(Identity::of(8, 0).unwrap().line(), fleet[0].line());
        assert_eq!(Identity::of(7, 0).unwrap().line(), fleet[0].line());
    }
}
