//! A PostgreSQL server of the test's own, Debian's, in a directory that goes with it. It refuses root: then it runs as nobody.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};

const NOBODY: u32 = 65_534;
pub(crate) const PASSWORD: &str = "ha%cken-5";

pub(crate) struct Server {
    dir: PathBuf,
    bin: PathBuf,
    pub(crate) port: u16,
    options: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Makes a cluster in a directory of `dir` and starts it.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    /// With these files in the server's directory, and options that name them.
    pub(crate) fn start_with(dir: &Path, files: &[(&str, &str)]) -> Self {
        // Nobody must get there.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        let dir = dir.join("postgres");
        fs::create_dir(&dir).unwrap();
        let bin =
            fs::read_dir("/usr/lib/postgresql").expect("Debian's package postgresql: scripts/setup.sh test");
        let bin =
            bin.map(|version| version.unwrap().path().join("bin")).max().expect("a version of PostgreSQL");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { dir, bin, port, options: Vec::new(), child: None };
        server.own(&server.dir);
        let word = server.file("password", PASSWORD);
        let made = server
            .command("initdb")
            .args(["--username=sentinel", "--auth=scram-sha-256", "--no-sync", "--no-instructions"])
            .arg(format!("--pwfile={}", word.display()))
            .arg(server.dir.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (option, text) in files {
            let path = server.file(option, text);
            server.options.push(format!("-c{option}={}", path.display()));
        }
        if !files.is_empty() {
            server.options.push("-cssl=on".into());
        }
        server.again();
        server
    }

    /// Starts it when it was killed; waits until it takes connections.
    pub(crate) fn again(&mut self) {
        let log = File::options().append(true).create(true).open(self.dir.join("log")).unwrap();
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.dir.join("data"))
            .args(["-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cfsync=off"])
            .args(["-cshared_buffers=16MB", "-cmax_connections=40"])
            .arg(format!("-cport={}", self.port))
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.dir.join("log")).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // To its children it passes this on, and none stays behind.
            let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGQUIT);
            child.wait().unwrap();
        }
    }

    /// The address of its database, with this password and these options.
    pub(crate) fn url(&self, password: &str, options: &str) -> String {
        let password = password.replace('%', "%25");
        format!("postgresql://sentinel:{password}@localhost:{}/postgres{options}", self.port)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.dir).env("LC_ALL", "C");
        if geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// A file that only it may read.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.own(&path);
        path
    }

    fn own(&self, path: &Path) {
        if geteuid().is_root() {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
