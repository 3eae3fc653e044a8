//! Logging in to real servers: sockets, TCP, passwords, and refusals.

use patroni_preflight::collect::sql::Limits;
use patroni_preflight::gap::GapReason;

use super::{ask, missed, session, target};
use crate::support::pg::{Server, VERSIONS, write};

#[test]
fn scram_and_md5_over_tcp_and_sockets_on_each_version() {
    for version in VERSIONS {
        let server = Server::start(version, |data| {
            let hba = "local all postgres trust\nlocal all all scram-sha-256\nhost all old 127.0.0.1/32 md5\n\
                       host all clear 127.0.0.1/32 password\nhost all no 127.0.0.1/32 reject\n\
                       host postgres new 127.0.0.1/32 scram-sha-256\n";
            write(&data.join("pg_hba.conf"), hba);
            "listen_addresses = '127.0.0.1'\n".to_owned()
        });
        let mut db = server.client();
        db.query("SET password_encryption = 'scram-sha-256'; CREATE ROLE new LOGIN PASSWORD 's3cret'");
        db.query(
            "CREATE ROLE clear LOGIN PASSWORD 's3cret'; CREATE ROLE no LOGIN PASSWORD 's3cret'; CREATE ROLE bare LOGIN",
        );
        db.query("SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 's3cret'");
        db.query("CREATE DATABASE other");
        db.query("SET password_encryption = 'scram-sha-256'");
        db.query("CREATE ROLE full LOGIN PASSWORD 's3cret' CONNECTION LIMIT 0");
        let tcp = format!("host=127.0.0.1 port={} dbname=postgres", server.port);
        let socket = format!("host={} port={} dbname=postgres", server.socket_dir.display(), server.port);
        for (place, user) in [(&tcp, "new"), (&tcp, "old"), (&tcp, "clear"), (&socket, "new")] {
            let answer = ask(target(&format!("{place} user={user} password=s3cret")), vec![], Limits::default());
            assert_eq!(session(&answer).user, user, "{version} {place}");
        }
        let answer = ask(target(&format!("{tcp} user=new password=s3cret")), vec![], Limits::default());
        assert_eq!(session(&answer).address, format!("127.0.0.1:{}", server.port));
        for (place, login, state) in [
            (&tcp, "user=new password=s3cret-not", "28P01"),
            (&tcp, "user=new", "asks for a password"),
            (&tcp, "user=no password=s3cret", "28000"),
            (&tcp, "user=new password=s3cret dbname=other", "28000"),
            (&socket, "user=missing password=s3cret", "28P01"),
            (&socket, "user=full password=s3cret", "53300"),
            (&socket, "user=new password=s3cret dbname=missing", "3D000"),
            (&socket, "user=new password=s3cret channel_binding=require", "channel binding"),
        ] {
            let answer = ask(target(&format!("{place} {login}")), vec![], Limits::default());
            let (why, detail) = missed(&answer);
            assert!(why == GapReason::Denied && detail.contains(state), "{version} {login}: {why:?} {detail}");
            assert!(!detail.contains("s3cret"), "{detail}");
        }
    }
}

#[test]
fn settings_of_the_role_and_the_user_do_not_loosen_ours() {
    let server = Server::start(16, |_| "default_transaction_read_only = off\n".to_owned());
    let mut db = server.client();
    db.query("CREATE ROLE loose SUPERUSER LOGIN; CREATE TABLE t (a int)");
    db.query("ALTER ROLE loose SET default_transaction_read_only = off; ALTER ROLE loose SET statement_timeout = 0");
    db.query("ALTER ROLE loose SET search_path = public; ALTER ROLE loose SET lock_timeout = 0");
    let options = "options='-c default_transaction_read_only=off -c work_mem=5MB'";
    let dsn = format!("{} user=loose {options}", super::socket_dsn(&server));
    let asked =
        vec![super::question("write", "INSERT INTO public.t VALUES (1)"), super::question("mem", "SHOW work_mem")];
    let answer = ask(target(&dsn), asked, Limits::default());
    let answers = &session(&answer).answers;
    assert_eq!(missed(&answers["write"]).0, GapReason::Denied);
    assert_eq!(super::column(answers["mem"].got().unwrap(), "work_mem"), [Some("5MB")]);
}
