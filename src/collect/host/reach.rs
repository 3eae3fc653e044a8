//! What the host reaches: TCP connections that are opened, all at the same time, and closed again. Nothing is sent.

use std::collections::BTreeMap;

use super::eye::{Ask, Probe, Reply};
use super::wire;
use crate::bundle::host::Reach;
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// Connects to `$1...`, each `HOST:PORT`. A line each: its number, the exit code (124 when nobody answered), what was said.
const CONNECT: &str = r#"
bash=
if command -v bash >/dev/null && command -v timeout >/dev/null; then
    # Some are built without the files that are connections.
    case $(bash -c ': < /dev/tcp/127.0.0.1/0' 2>&1) in *'No such file'*) ;; *) bash=1 ;; esac
fi
if [ -z "$bash" ]; then
    command -v python3 >/dev/null || { echo 'neither bash with timeout nor python3: not found' >&2; exit 127; }
    exec python3 -I -S -c '
import os, socket, sys, threading
def connect(number, place):
    host, port = place.rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), 2).close()
        said = "0"
    except socket.timeout:
        said = "124"
    except socket.gaierror:
        said = "1 Name or service not known"
    except OSError as error:
        said = "1 " + (os.strerror(error.errno) if error.errno else str(error))
    sys.stdout.write("%d %s\n" % (number, said))
all = [threading.Thread(target=connect, args=one) for one in enumerate(sys.argv[1:])]
for one in all: one.start()
for one in all: one.join()
' "$@"
fi
n=0
for place; do
    (
        host=${place%:*} port=${place##*:}
        host=${host#[}
        said=$(timeout -k 1 2 bash -c 'exec 3<> "/dev/tcp/$1/$2"' bash "${host%]}" "$port" 2>&1)
        code=$?
        said=$(printf '%s' "$said" | tr '\n' ' ')
        printf '%s %s %s\n' "$n" "$code" "$said"
    ) &
    n=$((n + 1))
done
wait
exit 0
"#;

/// What is asked: places as `HOST:PORT`.
pub(super) struct Questions {
    places: Vec<String>,
    at: Option<usize>,
}

impl Questions {
    pub(super) fn add(ask: &mut Ask, places: &[String]) -> Self {
        let programs = &["bash, else python3: TCP connections, closed at once, to $"];
        let at = (!places.is_empty()).then(|| ask.add(Probe::Script(CONNECT, places.to_vec(), programs, &[])));
        Self { places: places.to_vec(), at }
    }

    /// What came of each.
    pub(super) fn read(&self, replies: &[Reply]) -> BTreeMap<String, Answer<Reach>> {
        let Some(at) = self.at else { return BTreeMap::new() };
        let said = wire::out(&replies[at]);
        let one = |(number, place): (usize, &String)| {
            let answer = match &said {
                Ok(text) => line(text, number),
                Err(miss) => Err(miss.clone()),
            };
            (place.clone(), answer.into())
        };
        self.places.iter().enumerate().map(one).collect()
    }
}

/// The line with a number.
fn line(text: &str, number: usize) -> Result<Reach, Miss> {
    let unreadable = |said: &str| Miss { why: GapReason::Unreadable, detail: format!("the connection: {said}") };
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, said) = lines.find(|(n, _)| n.parse() == Ok(number)).ok_or_else(|| unreadable("no answer"))?;
    let (code, said) = said.split_once(' ').unwrap_or((said, ""));
    let has = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    match code {
        "0" => Ok(Reach::Open),
        "124" | "137" | "143" => Ok(Reach::Silent),
        _ if has(&["Connection refused"]) => Ok(Reach::Refused),
        _ if has(&["Connection timed out"]) => Ok(Reach::Silent),
        _ if has(&[
            "No route to host",
            "Network is unreachable",
            "Host is down",
            "Cannot assign requested address",
        ]) =>
        {
            Ok(Reach::NoRoute)
        }
        _ if has(&["Permission denied", "Operation not permitted"]) => Ok(Reach::Forbidden),
        _ if has(&["not known", "No address associated", "Temporary failure in name"]) => Ok(Reach::NoName),
        _ => Err(unreadable(said.trim())),
    }
}

/// Whether a place can be asked for: a name or an address, and a port.
pub(super) fn is_place(place: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b);
    place.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.starts_with('-')
            && host.bytes().all(plain)
            && port.parse::<u16>().is_ok_and(|p| p > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::super::eye::{Eye, Limits, Manifest};
    use super::*;

    #[test]
    fn lines_are_read_by_their_number() {
        let text = "2 124 \n0 0 \n1 1 bash: connect: Connection refused bash: line 1: /dev/tcp/192.0.2.1/1: Connection refused\n\
                    3 1 bash: connect: No route to host bash: line 1: …\n4 1 bash: x.invalid: Name or service not known\n5 2 what\n\
                    6 1 Permission denied\n";
        let all: Vec<_> = (0..7).map(|n| line(text, n).ok()).collect();
        let some = [
            Some(Reach::Open),
            Some(Reach::Refused),
            Some(Reach::Silent),
            Some(Reach::NoRoute),
            Some(Reach::NoName),
            None,
            Some(Reach::Forbidden),
        ];
        assert_eq!(all, some);
        assert!(line(text, 7).is_err());
    }

    #[test]
    fn only_places_are_asked_for() {
        assert!(["192.0.2.12:5432", "[::1]:8008", "pg1.example:1"].into_iter().all(is_place));
        assert!(!["192.0.2.12", "a/b:1", "$(id):1", ":1", "x:0", "x:99999", "-x:1"].into_iter().any(is_place));
    }

    #[test]
    fn connections_are_made_with_bash_or_python() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let open = listener.local_addr().expect("its address").to_string();
        let closed = {
            let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            gone.local_addr().expect("its address").to_string()
        };
        let places = vec![open.clone(), closed.clone(), "no-such-host.invalid:1".to_owned()];
        let look = |without_bash: bool| {
            let mut ask = Ask::default();
            let questions = Questions::add(&mut ask, &places);
            let way = if without_bash {
                let script = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; d=$(mktemp -d); for t in sh awk date grep head id ls od readlink sed setsid sleep stat tail tr timeout python3; do \
                              p=$(command -v $t) && ln -s \"$p\" $d/; done; PATH=$d; export PATH; sed 's,^PATH=.*,PATH='$d, | sh -s; /bin/rm -r $d";
                Way::Through(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()])
            } else {
                Way::Here
            };
            let mut eye = Eye { way: &way, limits: Limits::default(), manifest: Manifest::default(), clock: None };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let replies = runtime.block_on(eye.ask(ask)).expect("answers");
            questions.read(&replies)
        };
        for without_bash in [false, true] {
            let said = look(without_bash);
            assert_eq!(said[&open], Answer::Got(Reach::Open), "{without_bash}");
            assert_eq!(said[&closed], Answer::Got(Reach::Refused), "{without_bash}");
            // Without a resolver it takes longer than we wait.
            let name = &said["no-such-host.invalid:1"];
            assert!(
                [Answer::Got(Reach::NoName), Answer::Got(Reach::Silent)].contains(name),
                "{without_bash}: {name:?}"
            );
        }
    }
}
