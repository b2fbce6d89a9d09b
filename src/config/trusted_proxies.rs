//! Proxies whose requests have the rights of loopback, by their addresses.

use std::net::IpAddr;

use super::{ConfigError, SettingValues};

/// Addresses and blocks of addresses.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Block>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    address: IpAddr,
    prefix: u8,
}

impl TrustedProxies {
    pub(super) fn from_values(values: &SettingValues) -> Result<Self, ConfigError> {
        let blocks = values.list("SENTIO_TRUSTED_PROXIES").map(|text| {
            Block::parse(text).map_err(|expected| ConfigError::BadValue {
                name: "SENTIO_TRUSTED_PROXIES",
                value: text.to_owned(),
                expected: expected.to_owned(),
            })
        });
        blocks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the other end of a connection is one of them.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|block| block.contains(peer))
    }
}

/// The bits of an IPv6 address before the IPv4 address that is mapped into it.
const MAPPED_BITS: u8 = 96;

impl Block {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "expected addresses and blocks such as 127.0.0.1, ::1 or 10.0.0.0/8, separated by commas";
        let (address, prefix) = text.split_once('/').map_or((text, None), |(it, prefix)| (it, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| FORM)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = prefix.map_or(Ok(bits), str::parse).map_err(|_| FORM)?;
        if prefix > bits {
            return Err("the block's prefix is longer than its address");
        }
        let canonical = address.to_canonical();
        let prefix = if address.is_ipv6() && canonical.is_ipv4() {
            prefix.checked_sub(MAPPED_BITS).ok_or(FORM)?
        } else {
            prefix
        };
        if prefix == 0 {
            return Err("a block of all addresses would trust everybody: name the proxies");
        }
        Ok(Self { address: canonical, prefix })
    }

    fn contains(&self, peer: IpAddr) -> bool {
        let differing = match (self.address, peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => (own.to_bits() ^ peer.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(peer)) => (own.to_bits() ^ peer.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(setting: &str, peer: &str) -> bool {
        let values = SettingValues::from_flags([("SENTIO_TRUSTED_PROXIES", setting.to_owned())]);
        TrustedProxies::from_values(&values).unwrap().contains(peer.parse().unwrap())
    }

    #[test]
    fn addresses_and_blocks_are_matched_in_either_form() {
        assert!(trusts("127.0.0.1", "127.0.0.1") && !trusts("127.0.0.1", "127.0.0.2"));
        assert!(trusts("127.0.0.1", "::ffff:127.0.0.1") && trusts("::ffff:127.0.0.1", "127.0.0.1"));
        assert!(trusts("10.1.2.3/8, ::1", "10.255.0.1") && trusts("10.0.0.0/8, ::1", "::1"));
        assert!(!trusts("10.0.0.0/8", "11.0.0.1") && !trusts("10.0.0.0/8", "fd00::1"));
        assert!(trusts("::ffff:10.0.0.0/104", "10.9.9.9") && !trusts("::ffff:10.0.0.0/104", "11.0.0.1"));
        assert!(trusts("fd00::/8", "fdff::1") && !trusts("fd00::/8", "fe00::1"));
        assert!(trusts("192.168.1.128/25", "192.168.1.200") && !trusts("192.168.1.128/25", "192.168.1.100"));
    }

    #[test]
    fn what_is_no_block_stops_the_start() {
        for text in [
            "localhost",
            "10.0.0.0/33",
            "::1/129",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "10.0.0",
            "10.0.0.0/8/8",
            "*",
            "127.0.0.1:8000",
            "0.0.0.0/0",
            "::/0",
            "::ffff:0.0.0.0/96",
            "::ffff:0.0.0.0/80",
        ] {
            let values = SettingValues::from_flags([("SENTIO_TRUSTED_PROXIES", text.to_owned())]);
            let error = TrustedProxies::from_values(&values).unwrap_err().to_string();
            assert!(error.starts_with("SENTIO_TRUSTED_PROXIES has the value"), "{text}: {error}");
        }
    }
}
