//! `host:port` as Patroni takes it apart.

use super::python;

/// `utils.py:split_host_port`: what stands before the last colon, and the number behind it, or the default port when there is no
/// colon. With further colons the part before is a list of hosts, which lose brackets and white space around them. `None` where
/// Patroni gets a `ValueError` because the port is no number.
#[must_use]
pub fn split_host_port(value: &str, default_port: i64) -> Option<(String, i64)> {
    let (hosts, port) = match value.rsplit_once(':') {
        Some((hosts, port)) => (hosts, Some(port)),
        None => (value, None),
    };
    let hosts = if hosts.contains(':') {
        let bare: Vec<&str> =
            hosts.split(',').map(|h| h.trim_matches(python::is_space).trim_matches(['[', ']'])).collect();
        bare.join(",")
    } else {
        hosts.to_owned()
    };
    let port = match port {
        None => default_port,
        Some(text) => match python::int_of(text)? {
            crate::parse::yaml::Int::Small(n) => n,
            crate::parse::yaml::Int::Big(_) => return None,
        },
    };
    Some((hosts, port))
}

#[cfg(test)]
mod tests {
    use super::split_host_port;

    #[test]
    fn hosts_and_ports_are_split_as_patroni_does() {
        let split = |t: &str| split_host_port(t, 5432);
        assert_eq!(split("127.0.0.1"), Some(("127.0.0.1".into(), 5432)));
        assert_eq!(split("[::1],h, 0:0::1:5400"), Some(("::1,h,0:0::1".into(), 5400)));
        assert_eq!(split("a,[b]: 5_4 "), Some(("a,[b]".into(), 54)));
        assert_eq!(split("h:"), None);
        assert_eq!(split("*:5432"), Some(("*".into(), 5432)));
    }
}
