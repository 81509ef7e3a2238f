//! Addresses and networks.

use std::net::IpAddr;

/// Whether a text is an address (`203.0.113.7`) or a network (`198.51.100.0/24`), of either version.
pub fn is_network(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| {
        let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
        is_number && length.parse::<u32>().is_ok_and(|length| length <= most)
    })
}

#[cfg(test)]
mod tests {
    use super::is_network;

    #[test]
    fn addresses_and_networks() {
        for text in [
            "203.0.113.7",
            "198.51.100.0/24",
            "2001:db8::/32",
            "::1",
            "0.0.0.0/0",
        ] {
            assert!(is_network(text), "{text}");
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/+1",
            "1.2.3.4/",
            "::/129",
            "host",
            "1.2.3.4 5.6.7.8",
        ] {
            assert!(!is_network(text), "{text}");
        }
    }
}
