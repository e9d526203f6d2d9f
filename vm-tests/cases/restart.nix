# Agent and detector are killed: what was seen arrives all the same, and what nobody could see is known to be missing.
{ machine, pkgs, ... }:
{
  nodes.machine = machine {
    services.sentinel = {
      detector = {
        enable = true;
        settings.engines = [ "pass-through" ];
        # Each event is logged.
        settings.logLevel = "debug";
      };
      agent = {
        forwardRules = [
          {
            name = "the-witness";
            event = "file_write";
            match.pathPrefixes = [ "/var/witness" ];
          }
        ];
        settings = {
          stream.mode = "grpc";
          grpc.endpoint = "127.0.0.1:50051";
        };
      };
    };
    environment.systemPackages = [ pkgs.curl ];
  };

  testScript = ''
    import re


    def write(first, last):
        machine.succeed(f"for n in $(seq {first} {last}); do echo x > /var/witness-$n; done")


    def missing(first, last):
        log = machine.succeed("journalctl --boot --output=cat --unit=sentinel-detector")
        there = {int(number) for number in re.findall(r"/var/witness-(\d+)", log)}
        return [number for number in range(first, last + 1) if number not in there]


    def arrives(first, last):
        for _ in range(60):
            if not missing(first, last):
                return
            machine.sleep(1)
        raise AssertionError(missing(first, last))


    def kill(unit):
        before = int(machine.succeed(f"systemctl show --property=NRestarts --value {unit}"))
        machine.succeed(f"systemctl kill --signal=KILL {unit}")
        machine.wait_until_succeeds(f"test $(systemctl show --property=NRestarts --value {unit}) -gt {before}", timeout=60)


    machine.wait_for_unit("sentinel-detector.service")
    machine.wait_for_open_port(50051)
    started(machine)

    with subtest("a detector that is killed three times loses nothing"):
        for turn in range(3):
            write(100 * turn + 1, 100 * turn + 50)
            kill("sentinel-detector")
            write(100 * turn + 51, 100 * turn + 100)
        machine.wait_for_open_port(50051)
        arrives(1, 300)
        assert metric(machine, "sentinel_events_lost_total") == 0

    with subtest("an agent that is killed comes back and goes on"):
        write(301, 350)
        arrives(301, 350)
        kill("sentinel-agent")
        started(machine)
        write(351, 400)
        arrives(351, 400)

    with subtest("what is written while there is no agent has no event, and systemd says since when"):
        machine.succeed("systemctl stop sentinel-agent")
        write(401, 410)
        machine.succeed("systemctl start sentinel-agent")
        started(machine)
        write(411, 420)
        arrives(411, 420)
        assert missing(401, 410) == list(range(401, 411))
        machine.succeed("journalctl --boot --unit=sentinel-agent | grep 'Told to stop'")
  '';
}
