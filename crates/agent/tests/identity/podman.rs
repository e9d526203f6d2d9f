//! Podman with a storage of its own and its API: containers of a program that lives as long as it is told.
#![allow(dead_code)] // each test uses its part

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Opens `/first`, sleeps so many milliseconds, opens `/last`.
const PROGRAM: &str = "#include <fcntl.h>\n#include <stdlib.h>\n#include <unistd.h>\n\
    int main(int argc, char **argv) { open(\"/first\", O_RDONLY); \
    usleep(1000 * (argc > 1 ? atoi(argv[1]) : 0)); open(\"/last\", O_RDONLY); return 0; }\n";
pub(crate) const IMAGE: &str = "localhost/sentinel-identity:v1";

pub(crate) struct Podman {
    dir: PathBuf,
    service: Option<Child>,
}

impl Podman {
    /// With the image, which has a user `webuser` (4242) that the host does not have.
    pub(crate) fn new(dir: &Path) -> Self {
        Self::with(dir, &[])
    }

    /// The same, and its program has these names, too.
    pub(crate) fn with(dir: &Path, names: &[&str]) -> Self {
        let podman = Self { dir: dir.into(), service: None };
        let root = dir.join("image");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(dir.join("program.c"), PROGRAM).unwrap();
        run(Command::new("cc").arg("-static").arg("-o").arg(root.join("program")).arg(dir.join("program.c")));
        for name in names {
            fs::hard_link(root.join("program"), root.join(name)).unwrap();
        }
        fs::write(root.join("etc/group"), "root:x:0:\nwebgroup:x:4343:\n").unwrap();
        podman.import(IMAGE, "webuser");
        podman
    }

    /// Makes an image with the same program, and calls 4242 so.
    pub(crate) fn import(&self, image: &str, user: &str) {
        let (root, tar) = (self.dir.join("image"), self.dir.join("image.tar"));
        fs::write(root.join("etc/passwd"), format!("root:x:0:0::/:\n{user}:x:4242:4343::/srv:/bin/none\n"))
            .unwrap();
        run(Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&tar).arg("."));
        run(self.command().arg("import").arg(&tar).arg(image));
    }

    /// Nothing of the machine's own podman is touched; what the machine does not allow is not asked for.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("podman");
        for (option, name) in [("--root", "storage"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
            command.arg(option).arg(self.dir.join(name));
        }
        command.args(["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]);
        command.args(["--events-backend", "none"]);
        command
    }

    /// The same as words for a shell.
    pub(crate) fn line(&self) -> String {
        let command = self.command();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("podman.sock")
    }

    /// Starts the API, and waits until it listens.
    pub(crate) fn serve(&mut self) {
        let mut command = self.command();
        command.args(["system", "service", "--time", "0"]).arg(format!("unix://{}", self.socket().display()));
        self.service = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let started = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "podman's API does not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs a container to its end; returns its id.
    pub(crate) fn run(&self, name: &str, milliseconds: u32) -> String {
        self.run_image(IMAGE, name, milliseconds)
    }

    /// The same, of this image.
    pub(crate) fn run_image(&self, image: &str, name: &str, milliseconds: u32) -> String {
        let id = self.dir.join(format!("{name}.id"));
        let mut command = self.command();
        command.args(["run", "--rm", "--network", "none", "--user", "4242:4343", "--label", "team=shop"]);
        // Raising limits is not allowed everywhere.
        command.args(["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096", "--name", name]);
        command.arg("--cidfile").arg(&id).args([image, "/program", &milliseconds.to_string()]);
        run(&mut command);
        fs::read_to_string(id).unwrap()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
        let _ = self.command().args(["system", "reset", "--force"]).output();
    }
}

fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; scripts/setup.sh test installs it"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
