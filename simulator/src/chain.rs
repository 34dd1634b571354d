//! The chain of models a SunSpec family keeps its registers in: a mark, the common model that says who it is, the model
//! of its map, and an end (SunSpec device information model, 6.2 to 6.4). It stands at the first place its map names.

use coldhearth::metering::{Function, Profile, profile::Chain};

/// "SunS".
const MARK: [u16; 2] = [0x5375, 0x6E53];
/// Number and length of the common model.
const COMMON: [u16; 2] = [1, 66];
/// The number after the last model, and its length.
const END: [u16; 2] = [0xFFFF, 0];
/// Registers of a model's header: number and length.
const HEADER: u16 = 2;
/// Registers before the header of the map's model: mark, common model.
const BEFORE: u16 = 2 + HEADER + 66;

/// What the addresses of a map count from in a simulated meter.
pub(crate) fn origin(profile: &Profile) -> u16 {
    profile.chain.as_ref().map_or(0, |chain| base(chain).saturating_add(BEFORE))
}

/// The registers of a chain beside those of its map, each with its address.
pub(crate) fn words(
    profile: &Profile,
    [maker, model, version, serial]: [&str; 4],
) -> Vec<((Function, u16), u16)> {
    let Some(chain) = &profile.chain else { return Vec::new() };
    let texts = [text(maker, 16), text(model, 16), text("", 8), text(version, 8), text(serial, 16)];
    // Behind the texts: the unit's address and a word to an even count.
    let common = MARK.into_iter().chain(COMMON).chain(texts.into_iter().flatten()).chain([1, 0]);
    let length = length(profile);
    let origin = origin(profile);
    let placed = |from: u16, words: &mut dyn Iterator<Item = u16>| {
        (from..).zip(words).map(|(at, word)| ((chain.function, at), word)).collect::<Vec<_>>()
    };
    let mut all = placed(base(chain), &mut common.into_iter());
    all.extend(placed(origin, &mut [chain.model, length].into_iter()));
    all.extend(placed(origin.saturating_add(HEADER + length), &mut END.into_iter()));
    all
}

/// All registers of a chain: function, first, count.
pub(crate) fn run(profile: &Profile) -> Option<(Function, u16, u16)> {
    let chain = profile.chain.as_ref()?;
    Some((chain.function, base(chain), BEFORE + HEADER + length(profile) + 2))
}

fn base(chain: &Chain) -> u16 {
    chain.bases.first().copied().unwrap_or(0)
}

/// Registers of the map's model behind its header: up to the last that the map names.
fn length(profile: &Profile) -> u16 {
    let last = profile.row_blocks().map(|block| block.at.saturating_add(block.count)).max();
    last.unwrap_or(HEADER).saturating_sub(HEADER)
}

fn text(text: &str, words: usize) -> Vec<u16> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(2 * words, 0);
    bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}
