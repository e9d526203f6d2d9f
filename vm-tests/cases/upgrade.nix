# State and logs of an earlier version: the history is brought up to date, an old log with a torn end is neither overwritten
# nor mixed with the new one, and what was kept is still told. The twin: a history of a later version is left alone.
{ machine, pkgs, ... }:
{
  nodes.machine = machine {
    services.sentinel = {
      enable = true;
      agent = {
        forwardRules = [
          {
            name = "the-witness";
            event = "file_write";
            match.pathPrefixes = [ "/var/witness" ];
          }
        ];
        settings.stream.mode = [
          "grpc"
          "file"
        ];
      };
    };
    environment.systemPackages = [
      pkgs.curl
      pkgs.sqlite
    ];
  };

  testScript = ''
    history = machine.succeed("systemctl show --property=StateDirectory --value sentinel-detector").strip()
    history = f"/var/lib/{history}/history.db"
    log = "/var/log/sentinel-ebpf/events.bin"
    # A torn end is told and fails.
    decode = f"for file in {log}*; do sentinel decode $file 2>/dev/null || true; done"


    def alert(name):
        machine.succeed(f"cp $(readlink -f $(which true)) /tmp/{name} && su nobody -s /bin/sh -c /tmp/{name}")
        machine.wait_until_succeeds(f"curl --fail --silent http://127.0.0.1:8090/api/alerts | grep /tmp/{name}", timeout=60)


    def write(name):
        machine.succeed(f"echo x > /var/witness-{name}")
        machine.wait_until_succeeds(f"{decode} | grep witness-{name}", timeout=60)


    machine.wait_for_unit("sentinel-detector.service")
    machine.wait_for_open_port(8090)
    started(machine)
    alert("before")
    write("before")

    with subtest("a history without what later versions added is brought up to date"):
        machine.succeed("systemctl stop sentinel-agent sentinel-detector")
        machine.succeed(f"test -s {history}")
        machine.succeed(f"sqlite3 {history} 'DROP TABLE counts; PRAGMA user_version = 3'")
        # The beginning of a record: its length, and nothing behind it.
        machine.succeed(f"printf '\\144\\000\\000\\000' >> {log}")
        machine.succeed("systemctl start sentinel-detector sentinel-agent")
        machine.wait_for_open_port(8090)
        started(machine)
        machine.succeed("curl --fail --silent http://127.0.0.1:8090/api/alerts | grep /tmp/before")
        alert("after")

    with subtest("the old log is still there, and the new one begins behind it"):
        write("after")
        decoded = machine.succeed(decode)
        assert "witness-before" in decoded and "witness-after" in decoded

    with subtest("a history of a later version is refused and left as it is"):
        machine.succeed("systemctl stop sentinel-detector")
        machine.succeed(f"sqlite3 {history} 'PRAGMA user_version = 99'")
        machine.fail("systemctl start sentinel-detector")
        assert machine.succeed(f"sqlite3 {history} 'PRAGMA user_version'").strip() == "99"
  '';
}
