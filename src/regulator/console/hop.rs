//! PURE file. From where somebody asks, where a proxy on this machine speaks for everybody.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};

/// What most proxies say it by.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The caller as the proxy saw it: the last hop of `X-Forwarded-For` or of `Forwarded` (RFC 7239), since whatever a browser
/// sends of either stands before what the proxy adds. Whoever is not on this machine is no proxy of ours; and where both are there
/// and disagree, one of them is the browser's own, and neither is believed.
pub(super) fn caller(headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    let hops = [last(headers, &X_FORWARDED_FOR, plain), last(headers, &FORWARDED, of_rfc_7239)];
    match hops {
        [Some(one), None] | [None, Some(one)] => one.unwrap_or(peer),
        [Some(one), Some(other)] if one == other => one.unwrap_or(peer),
        [Some(_), Some(_)] | [None, None] => peer,
    }
}

/// Who is behind an address, as far as it is counted how often somebody tries and how many lines he has: of IPv6 one subscriber has
/// 2^64 of them, and all are one.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            let one = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
            // This machine is not one of many.
            IpAddr::V6(if address.is_loopback() { address } else { one })
        }
    }
}

/// The last hop that a header tells: none where there is no such header, and then none that can be read.
fn last(headers: &HeaderMap, name: &HeaderName, read: fn(&str) -> Option<IpAddr>) -> Option<Option<IpAddr>> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok();
    Some(value.and_then(|value| value.rsplit(',').next()).and_then(read))
}

fn of_rfc_7239(hop: &str) -> Option<IpAddr> {
    let pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    plain(node.trim_matches('"'))
}

/// An address, with or without a port, an IPv6 one with or without brackets.
fn plain(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse::<IpAddr>().ok().or_else(|| Some(node.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const PROXY: &str = "127.0.0.1";

    fn asked(lines: &[(&'static str, &'static str)], peer: &str) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        caller(&headers, peer.parse().unwrap()).to_string()
    }

    #[test]
    fn the_last_hop_is_the_caller_whatever_a_browser_says_before_it() {
        for (told, is) in [
            ("8.8.8.8", "8.8.8.8"),
            ("9.9.9.9, 8.8.8.8", "8.8.8.8"),
            ("8.8.8.8:4711", "8.8.8.8"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:8.8.8.8", "8.8.8.8"),
            ("8.8.8.8, somebody", PROXY),
            ("", PROXY),
        ] {
            assert_eq!(asked(&[("x-forwarded-for", told)], PROXY), is, "{told}");
        }
        assert_eq!(
            asked(&[("x-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "8.8.8.8")], PROXY),
            "8.8.8.8"
        );
        for (told, is) in [
            ("for=8.8.8.8;proto=https", "8.8.8.8"),
            ("for=9.9.9.9, proto=https;For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=_hidden", PROXY),
            ("by=8.8.8.8", PROXY),
        ] {
            assert_eq!(asked(&[("forwarded", told)], PROXY), is, "{told}");
        }
    }

    #[test]
    fn all_addresses_of_one_subscriber_are_one() {
        let of = |text: &str| subscriber(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!([of("8.8.8.8"), of("::ffff:8.8.8.8"), of("::1")], ["8.8.8.8", "8.8.8.8", "::1"]);
    }

    #[test]
    fn whoever_is_no_proxy_of_ours_or_contradicts_it_is_not_believed() {
        assert_eq!(asked(&[("x-forwarded-for", "8.8.8.8")], "10.0.0.1"), "10.0.0.1");
        assert_eq!(asked(&[], PROXY), PROXY);
        let both = [("x-forwarded-for", "8.8.8.8"), ("forwarded", "for=9.9.9.9")];
        assert_eq!(asked(&both, PROXY), PROXY);
        assert_eq!(asked(&[("x-forwarded-for", "8.8.8.8"), ("forwarded", "for=8.8.8.8")], PROXY), "8.8.8.8");
    }
}
