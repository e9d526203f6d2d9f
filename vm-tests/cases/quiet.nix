# A boot and an ordinary quarter of an hour raise nothing of high severity. The twin: one thing that is not ordinary does.
{ machine, pkgs, ... }:
{
  nodes.machine = machine {
    environment.systemPackages = [
      pkgs.curl
      pkgs.python3
    ];
  };
  timeout = 1800;

  testScript = ''
    started(machine)
    with subtest("ordinary work is silent"):
        machine.succeed("find /etc -type f | head -200 | xargs cat > /dev/null")
        machine.succeed("tar -cf /tmp/etc.tar /etc && rm /tmp/etc.tar")
        machine.succeed("python3 -c 'import http.server'")
        machine.succeed("curl --silent http://127.0.0.1:9102/metrics > /dev/null")
        machine.succeed("systemctl daemon-reload")
        loud = [severity for severity in alerts(machine, "SEVERITY") if severity in ["high", "critical"]]
        assert loud == [], loud
        assert metric(machine, "sentinel_events_lost_total") == 0

    with subtest("a program of /tmp is not"):
        machine.succeed("cp $(readlink -f $(which true)) /tmp/tool && chmod +x /tmp/tool")
        machine.succeed("su nobody -s /bin/sh -c /tmp/tool")
        machine.wait_until_succeeds(
            "journalctl --boot --unit=sentinel-agent RULE_ID=suspicious_exec | grep suspicious_exec", timeout=30
        )
  '';
}
