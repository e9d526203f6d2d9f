//! What is measured: each workload is one step that a child repeats.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    socket::{setsockopt, sockopt},
};
use serde::Serialize;

/// One kind of work that a watched machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Workload {
    /// A cheap system call that nothing watches: getppid.
    Unwatched,
    /// Opens, reads 64 bytes of and closes a file in memory.
    OpenReadClose,
    /// Writes one byte to /dev/null.
    WriteNull,
    /// Writes one byte to a file in memory.
    WriteFile,
    /// vfork, exec and wait of the smallest static C program.
    Exec,
    /// Connects to, accepts from and closes a TCP socket on the loopback.
    Connect,
    /// 40 % open/read/close, 20 % exec, 20 % network, 20 % writes and renames.
    Mixed,
    /// open_read_close by a process with ten thousand open files.
    ManyFiles,
    /// Starts 64 programs at once and waits for all of them.
    ForkStorm,
    /// Compiles a C file that includes most of the standard headers: what each step of a build does.
    Compile,
    /// Makes a control group, has a program started in it, and removes it: a container's life. Needs root.
    Cgroup,
}

impl Workload {
    /// All, in the order in which they are measured.
    pub(crate) const ALL: &[Self] = &[
        Self::Unwatched,
        Self::OpenReadClose,
        Self::WriteNull,
        Self::WriteFile,
        Self::Exec,
        Self::Connect,
        Self::Mixed,
        Self::ManyFiles,
        Self::ForkStorm,
        Self::Compile,
        Self::Cgroup,
    ];

    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unwatched => "unwatched",
            Self::OpenReadClose => "open_read_close",
            Self::WriteNull => "write_null",
            Self::WriteFile => "write_file",
            Self::Exec => "exec",
            Self::Connect => "connect",
            Self::Mixed => "mixed",
            Self::ManyFiles => "many_files",
            Self::ForkStorm => "fork_storm",
            Self::Compile => "compile",
            Self::Cgroup => "cgroup",
        }
    }

    /// Steps in one slice: about 4 ms of work on a small virtual machine, or one step that takes longer.
    pub(crate) fn steps(self) -> u32 {
        match self {
            Self::Unwatched => 30_000,
            Self::OpenReadClose | Self::ManyFiles => 2_000,
            Self::WriteNull => 25_000,
            Self::WriteFile => 12_000,
            Self::Exec => 16,
            Self::Connect => 250,
            Self::Mixed => 60,
            Self::ForkStorm | Self::Compile | Self::Cgroup => 1,
        }
    }

    /// Of the slices of a round so many are one: a slice that takes longer counts for more.
    pub(crate) fn weight(self) -> u32 {
        match self {
            Self::ForkStorm | Self::Cgroup => 4,
            Self::Compile => 8,
            _ => 1,
        }
    }
}

/// What the compiled file includes; each includes many more.
const HEADERS: &[&str] = &[
    "stdio",
    "stdlib",
    "string",
    "math",
    "time",
    "signal",
    "errno",
    "unistd",
    "fcntl",
    "pthread",
    "sys/socket",
    "sys/stat",
    "sys/wait",
    "netinet/in",
    "netdb",
    "poll",
];
/// Programs that a storm starts.
const STORM: usize = 64;
/// Open files of a process with many.
const OPEN: usize = 10_000;

/// How many files the file workloads go round: more than one, so that no cache of one entry helps.
const FILES: usize = 64;

/// The directory in memory where the workloads find their files.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    /// Makes the directory in /dev/shm with its files, and compiles the [`program`] that exec starts.
    pub(crate) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("sentinel-bench-")
            .tempdir_in("/dev/shm")
            .context("/dev/shm: the workloads need a directory in memory there")?;
        for number in 0..FILES {
            fs::write(file(dir.path(), number), [b'x'; 64])?;
        }
        let source = dir.path().join("nothing.c");
        fs::write(&source, "int main(void) { return 0; }\n")?;
        let status = Command::new("cc")
            .args(["-static", "-Os", "-s", "-o"])
            .args([&program()?, &source])
            .status()
            .context("cc: a C compiler makes the program that the exec workload starts")?;
        ensure!(status.success(), "cc could not compile {} ({status})", source.display());
        let includes = HEADERS.iter().map(|header| format!("#include <{header}.h>\n"));
        fs::write(dir.path().join("headers.c"), includes.collect::<String>())?;
        Ok(Self { dir })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Where the hierarchy of control groups v2 is mounted.
fn cgroups() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = fields.find(|fields| fields.get(2) == Some(&"cgroup2"));
    Ok(mount.as_ref().and_then(|fields| fields.get(1)).context("control groups v2 are not mounted")?.into())
}

fn file(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("file-{number}"))
}

/// The program that does nothing, beside this one: a start from a directory in memory would be an alert of the
/// shipped rules each time, and alerts are measured elsewhere.
pub(crate) fn program() -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("sentinel-bench-nothing"))
}

/// Everything a step needs, opened before the clock runs.
pub(crate) struct Bench {
    files: Vec<PathBuf>,
    null: File,
    log: File,
    renamed: [PathBuf; 2],
    program: PathBuf,
    listener: TcpListener,
    address: SocketAddr,
    dir: PathBuf,
    /// Open for as long as the steps are done.
    held: Vec<File>,
}

impl Bench {
    /// Opens what the steps use in `dir`, a [`Scratch`].
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let renamed = [dir.join("name-a"), dir.join("name-b")];
        fs::write(&renamed[0], "")?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        Ok(Self {
            files: (0..FILES).map(|number| file(dir, number)).collect(),
            null: OpenOptions::new().write(true).open("/dev/null")?,
            log: File::create(dir.join("log"))?,
            renamed,
            program: program()?,
            address: listener.local_addr()?,
            listener,
            dir: dir.to_owned(),
            held: Vec::new(),
        })
    }

    /// What `workload` needs besides.
    pub(crate) fn prepare(&mut self, workload: Workload) -> Result<()> {
        if workload == Workload::ManyFiles {
            let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
            setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
            self.held = (0..OPEN)
                .map(|at| File::open(file(&self.dir, at % FILES)))
                .collect::<Result<_, _>>()
                .with_context(|| format!("{OPEN} open files, of which this process may have {most}"))?;
        }
        Ok(())
    }

    /// Does step number `step` of `workload`.
    pub(crate) fn step(&mut self, workload: Workload, step: u32) -> Result<()> {
        match workload {
            Workload::Unwatched => {
                std::hint::black_box(nix::unistd::getppid());
            }
            Workload::OpenReadClose | Workload::ManyFiles => self.open_read_close(step)?,
            Workload::WriteNull => self.null.write_all(b"x")?,
            Workload::WriteFile => self.log.write_all(b"x")?,
            Workload::Exec => self.exec()?,
            Workload::Connect => self.connect()?,
            Workload::Mixed => self.mixed(step)?,
            Workload::ForkStorm => self.fork_storm()?,
            Workload::Compile => self.compile()?,
            Workload::Cgroup => self.cgroup(step)?,
        }
        Ok(())
    }

    /// One open, one read, one close: no other system call.
    pub(crate) fn open_read_close(&self, step: u32) -> Result<()> {
        let path = self.files.get(step as usize % FILES).context("no files")?;
        let mut buffer = [0; 64];
        let read = File::open(path)?.read(&mut buffer)?;
        ensure!(read == buffer.len(), "{}: {read} bytes instead of {}", path.display(), buffer.len());
        Ok(())
    }

    // std starts programs with posix_spawn, which is vfork and exec.
    fn nothing(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        command
    }

    fn exec(&self) -> Result<()> {
        let status = self.nothing().status()?;
        ensure!(status.success(), "{}: {status}", self.program.display());
        Ok(())
    }

    fn fork_storm(&self) -> Result<()> {
        let children: Vec<_> = (0..STORM).map(|_| self.nothing().spawn()).collect::<Result<_, _>>()?;
        for mut child in children {
            child.wait()?;
        }
        Ok(())
    }

    fn compile(&self) -> Result<()> {
        let [source, object] = ["headers.c", "headers.o"].map(|name| self.dir.join(name));
        let status = Command::new("cc").arg("-c").arg(source).arg("-o").arg(object).status()?;
        ensure!(status.success(), "cc: {status}");
        Ok(())
    }

    /// The program's starter is in the new group while it starts it.
    fn cgroup(&self, step: u32) -> Result<()> {
        let root = cgroups()?;
        let made = root.join(format!("sentinel-bench-{}-{step}", std::process::id()));
        fs::create_dir(&made).with_context(|| made.display().to_string())?;
        let enter = |group: &Path| fs::write(group.join("cgroup.procs"), "0");
        enter(&made)?;
        let done = self.exec();
        enter(&root)?;
        fs::remove_dir(&made)?;
        done
    }

    fn connect(&self) -> Result<()> {
        let client = TcpStream::connect(self.address)?;
        let (server, _) = self.listener.accept()?;
        // Reset instead of close: else TIME_WAIT would use up all ports within seconds.
        setsockopt(&client, sockopt::Linger, &nix::libc::linger { l_onoff: 1, l_linger: 0 })?;
        drop(client);
        drop(server);
        Ok(())
    }

    fn mixed(&mut self, step: u32) -> Result<()> {
        match step % 10 {
            0 | 2 | 5 | 7 => self.open_read_close(step),
            1 | 6 => self.exec(),
            3 | 8 => self.connect(),
            4 => Ok(self.log.write_all(b"x")?),
            _ => {
                let [from, to] = &self.renamed;
                fs::rename(from, to)?;
                self.renamed.swap(0, 1);
                Ok(())
            }
        }
    }
}
