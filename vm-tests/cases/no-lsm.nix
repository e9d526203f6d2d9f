# A kernel whose active security modules do not include BPF's: hooks there would attach and never fire. The agent reads
# the list, takes other hooks, and sees the same.
{ machine, pkgs, ... }:
{
  nodes.machine = machine {
    security.lsm = pkgs.lib.mkForce [
      "landlock"
      "yama"
    ];
    environment.systemPackages = [ pkgs.curl ];
  };

  testScript = ''
    started(machine)
    assert "bpf" not in machine.succeed("cat /sys/kernel/security/lsm")
    machine.succeed("sentinel doctor")
    machine.succeed("cp $(readlink -f $(which true)) /tmp/tool && chmod +x /tmp/tool")
    machine.succeed("su nobody -s /bin/sh -c /tmp/tool")
    machine.wait_until_succeeds(
        "journalctl --boot --unit=sentinel-agent RULE_ID=suspicious_exec | grep suspicious_exec", timeout=30
    )
  '';
}
