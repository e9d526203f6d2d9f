# More than the ring can hold: every file that was opened is in the log or in the count of what was lost, which the log
# tells too. The twin: the same files, opened slowly, are all in the log.
{ machine, pkgs, ... }:
let
  # Opens so many files below a directory, each once, by one system call each.
  opens = pkgs.writeText "opens.py" ''
    import os, sys, time

    directory, count, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    os.makedirs(directory)
    for number in range(count):
        os.close(os.open(f"{directory}/{number}", os.O_CREAT | os.O_WRONLY))
        if pause:
            time.sleep(pause)
  '';
in
{
  nodes.machine = machine {
    services.sentinel.agent = {
      forwardRules = [
        {
          name = "the-flood";
          event = "file_open";
          match.pathPrefixes = [ "/var/flood/" ];
        }
      ];
      settings = {
        stream.mode = "file";
        stream.file.syncSeconds = 0;
        capture.ringBytes = 262144;
        # Rules would ask for the opens of others.
        detection.rules = [ ];
      };
    };
    environment.systemPackages = [
      pkgs.curl
      pkgs.python3
    ];
  };

  testScript = ''
    def logged(kind):
        lines = machine.succeed("sentinel decode /var/log/sentinel-ebpf/events.bin").splitlines()
        return [event for event in map(json.loads, lines) if event["event_type"] == kind]


    def delivered(directory):
        return [event for event in logged("file_open") if event["data"]["path"].startswith(directory)]


    started(machine)
    with subtest("what comes slowly is all there"):
        machine.succeed("${pkgs.python3}/bin/python3 ${opens} /var/flood/slow 300 0.005")
        machine.wait_until_succeeds(
            "sentinel decode /var/log/sentinel-ebpf/events.bin | grep --quiet '/var/flood/slow/299\"'", timeout=60
        )
        assert len(delivered("/var/flood/slow/")) == 300
        assert metric(machine, "sentinel_events_lost_total") == 0

    with subtest("of a flood nothing is missing without trace"):
        pid = machine.succeed("systemctl show --property=MainPID --value sentinel-agent").strip()
        # Nobody reads for as long as it lasts: the ring must overflow.
        machine.succeed(f"kill -STOP {pid}")
        machine.succeed("timeout 20 ${pkgs.python3}/bin/python3 ${opens} /var/flood/fast 20000 0; test $? -ne 124")
        machine.succeed(f"kill -CONT {pid}")
        machine.wait_until_succeeds(
            "sentinel decode /var/log/sentinel-ebpf/events.bin | grep --quiet '\"event_type\":\"loss\"'", timeout=60
        )
        machine.sleep(5)
        lost = int(metric(machine, 'sentinel_events_lost_total{stage="ring",cause="full",kind="file_open"}'))
        seen = len(delivered("/var/flood/fast/"))
        # The machine opens a few files besides, of which what was lost says no name.
        assert lost > 0 and 20000 <= seen + lost < 21000, (seen, lost)
        reports = [event["data"] for event in logged("loss")]
        told = sum(int(report["count"]) for report in reports if report.get("kind") == "file_open")
        assert told == lost, (told, lost)
  '';
}
