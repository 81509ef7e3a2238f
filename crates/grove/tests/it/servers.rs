//! Real servers on loopback, each ended with its test.

use std::{
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server that is ended with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// One that a command starts, when it listens.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self { child, port };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "a server starts");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// A server that speaks S3, with a bucket `states`.
    pub(crate) fn s3(port: u16) -> Self {
        let program = std::env::var_os("GROVE_TEST_S3").unwrap();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = Self::start(&mut command, port);
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = "PUT /states HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x\r\n\r\n";
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        server
    }

    /// PostgreSQL, which does not run as root.
    pub(crate) fn postgres(directory: &Path) -> Self {
        let programs = PathBuf::from(std::env::var_os("GROVE_TEST_POSTGRES").unwrap());
        std::fs::create_dir_all(directory).unwrap();
        let is_root = std::fs::metadata(directory)
            .is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0);
        let nobody = 65534;
        let command = |program: &str| {
            let mut command = Command::new(programs.join(program));
            if is_root {
                command.uid(nobody).gid(nobody);
            }
            command.current_dir("/");
            command
        };
        if is_root {
            std::os::unix::fs::chown(directory, Some(nobody), Some(nobody)).unwrap();
        }
        let data = directory.join("data");
        let made = command("initdb")
            .args(["--auth=trust", "--username=grove", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let mut server = command("postgres");
        server
            .arg("-D")
            .arg(&data)
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
                "-k",
                "",
            ])
            .args(["-p", &port.to_string()]);
        let server = Self::start(&mut server, port);
        // It listens before it answers.
        std::thread::sleep(Duration::from_millis(500));
        server
    }

    /// `MariaDB` with an administrator `admin`, whose password is `adminpw`.
    pub(crate) fn mariadb(directory: &Path) -> Self {
        let data = directory.join("mariadb");
        std::fs::create_dir_all(&data).unwrap();
        // One that starts removes the temporary tables of every other in a common directory.
        let temporary = directory.join("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let user = user();
        let made = Command::new("mariadb-install-db")
            .args([
                "--no-defaults",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ])
            .args([
                format!("--datadir={}", data.display()),
                format!("--tmpdir={}", temporary.display()),
                format!("--user={user}"),
            ])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let first = directory.join("first.sql");
        let sql = "CREATE USER admin@'%' IDENTIFIED BY 'adminpw';\nGRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\nDROP USER IF EXISTS ''@'localhost';\n";
        std::fs::write(&first, sql).unwrap();
        // Late, so that nothing else takes it meanwhile.
        let port = free_port();
        let mut server = Command::new("mariadbd");
        server
            .args([
                "--no-defaults",
                "--bind-address=127.0.0.1",
                "--skip-networking=0",
            ])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", temporary.display()))
            .arg(format!("--socket={}", directory.join("s").display()))
            .arg(format!("--pid-file={}", directory.join("pid").display()))
            .arg(format!("--init-file={}", first.display()))
            .arg(format!("--port={port}"))
            .arg(format!("--user={user}"));
        Self::start(&mut server, port)
    }

    /// Redis with an administrator `admin`, whose password is `adminpw`.
    pub(crate) fn redis(directory: &Path) -> Self {
        Self::redis_at(directory, free_port())
    }

    /// The same, on a port.
    pub(crate) fn redis_at(directory: &Path, port: u16) -> Self {
        let users = directory.join("users.acl");
        std::fs::write(
            &users,
            "user default off\nuser admin on >adminpw ~* &* +@all\n",
        )
        .unwrap();
        let mut server = Command::new("redis-server");
        server
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
            ])
            .arg("--dir")
            .arg(directory)
            .arg("--aclfile")
            .arg(&users);
        Self::start(&mut server, port)
    }

    /// `FerretDB`, which speaks `MongoDB`'s protocol, with an administrator `root`, whose password is
    /// `adminpw`.
    pub(crate) fn ferretdb(directory: &Path) -> Self {
        let (port, data) = (free_port(), directory.join("ferretdb"));
        std::fs::create_dir_all(&data).unwrap();
        let mut server = Command::new(std::env::var_os("GROVE_TEST_FERRETDB").unwrap());
        server
            .args(["--handler=sqlite", "--debug-addr=-", "--telemetry=disable"])
            .args(["--test-enable-new-auth", "--setup-database=admin"])
            .args(["--setup-username=root", "--setup-password=adminpw"])
            .arg(format!("--sqlite-url=file:{}/", data.display()))
            .arg(format!("--state-dir={}", data.display()))
            .arg(format!("--listen-addr=127.0.0.1:{port}"));
        Self::start(&mut server, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Who runs this.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
