# What the service manager is told, as plain data: the NixOS module and dist/ (other distributions) are both
# made from it. It uses no library, so that any nix can render it.
#
# Each of the three has `description`, `after`, `execStart` and `serviceConfig`, systemd.exec(5).
{
  # Where each program is, e.g. { agent = "/usr/bin/sentinel-agent"; … }.
  programs,
  # What follows the program, e.g. { agent = " --config /some/file.yaml"; … }. Empty: the default path, where a
  # missing file means defaults.
  arguments,
  # The program that sends signals.
  kill,
}:
let
  # What no service of ours ever needs. Exceptions stand with the service, each with its reason.
  hardened = {
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    ProtectHome = true;
    PrivateTmp = true;
    PrivateDevices = true;
    DevicePolicy = "closed";
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    RemoveIPC = true;
    KeyringMode = "private";
    SystemCallArchitectures = "native";
    # A call that is not on the list fails; the program says so and goes on.
    SystemCallErrorNumber = "EPERM";
    UMask = "0027";
  };

  # Life cycle, the same for all: they say when they work, prove that they live, and read their rules again.
  lifecycle = {
    Type = "notify";
    NotifyAccess = "main";
    WatchdogSec = "30s";
    Restart = "on-failure";
    RestartSec = "2s";
    # 2: wrong configuration, 3: the kernel refuses. Starting again changes neither.
    RestartPreventExitStatus = "2 3";
    TimeoutStopSec = "10s";
  };

  # A service that only talks over the network and keeps files of its own.
  unprivileged =
    name: memory:
    hardened
    // lifecycle
    // {
      DynamicUser = true;
      StateDirectory = name;
      StateDirectoryMode = "0750";
      CapabilityBoundingSet = "";
      AmbientCapabilities = "";
      PrivateUsers = true;
      ProtectProc = "invisible";
      ProcSubset = "pid";
      RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6";
      SystemCallFilter = [
        "@system-service"
        "~@privileged @resources"
      ];
      MemoryMax = memory;
      TasksMax = 128;
    };
in
{
  agent = {
    description = "Sentinel agent: observes what the processes of this machine do";
    # Early, to miss little: the ports it serves on the loopback need no network.
    after = [ "local-fs.target" ];
    execStart = programs.agent + arguments.agent;
    serviceConfig =
      hardened
      // lifecycle
      // rec {
        ExecReload = "${kill} -HUP $MAINPID";
        User = "sentinel-agent";
        Group = "sentinel-agent";
        # What it may do beyond any user's rights. As few as eBPF allows; SECURITY.md says what they give away.
        #   CAP_BPF               create maps, load programs
        #   CAP_PERFMON           attach them to tracepoints and functions, let them read kernel memory
        #   CAP_SYS_PTRACE        read /proc/PID of other users: executable, working directory, name spaces
        #   CAP_DAC_READ_SEARCH   tracefs, which only root may enter; rule files and other users' cgroups
        #   CAP_SYS_NICE          its reading thread runs before others; without it bursts lose events
        #   CAP_SYS_ADMIN         kernels of Debian and Ubuntu want it for what CAP_PERFMON is for elsewhere
        #                         (kernel.perf_event_paranoid above 2). Where they do not, the agent gives it up before
        #                         it does anything else; where they do, the calls it is feared for stay forbidden below
        CapabilityBoundingSet = "CAP_BPF CAP_PERFMON CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_SYS_NICE CAP_SYS_ADMIN";
        AmbientCapabilities = CapabilityBoundingSet;
        # The capabilities must hold in the machine's own user name space.
        PrivateUsers = false;
        # It would take openat2 away, by which the agent reads /etc/passwd of a container without being led out of it. What
        # an ordinary user makes set-user-id is that user's own.
        RestrictSUIDSGID = false;
        # It watches other processes: it has to see them.
        ProtectProc = "default";
        ProcSubset = "all";
        # Before Linux 5.11 maps count as locked memory.
        LimitMEMLOCK = "infinity";
        # Besides the network and the journal: netlink tells addresses of this host.
        RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6 AF_NETLINK";
        # A link that lies there is detached in the kernel's own time: without, the end waits 35 ms for each hook.
        # (Made by tmpfiles; an older kernel or a machine without bpffs has none.)
        ReadWritePaths = "-/sys/fs/bpf/sentinel-discarded";
        # bpf and perf_event_open load and attach; setpriority goes with CAP_SYS_NICE; capset gives rights up. No mount,
        # setns, swapon, quotactl … whatever the capabilities are.
        SystemCallFilter = [
          "@system-service bpf perf_event_open"
          "~@privileged @chown @keyring @resources"
          "bpf perf_event_open setpriority sched_setscheduler capset"
        ];
        StateDirectory = "sentinel-ebpf";
        StateDirectoryMode = "0750";
        LogsDirectory = "sentinel-ebpf";
        LogsDirectoryMode = "0750";
        # Ring, maps and queues are bounded far below this; a leak ends here and not with the machine.
        MemoryMax = "512M";
        TasksMax = 64;
        # When memory is short, something else than the watcher goes first.
        OOMScoreAdjust = -500;
      };
  };

  detector = {
    description = "Sentinel detector: judges events, keeps and serves alerts";
    after = [ "network.target" ];
    execStart = programs.detector + arguments.detector;
    serviceConfig = unprivileged "sentinel-detector" "1G" // {
      ExecReload = "${kill} -HUP $MAINPID";
    };
  };

  dashboard = {
    description = "Sentinel dashboard: shows alerts as they happen";
    after = [
      "network.target"
      "sentinel-detector.service"
    ];
    execStart = programs.dashboard + arguments.dashboard;
    serviceConfig = unprivileged "sentinel-dashboard" "256M";
  };
}
