# Lockdown in its integrity mode costs nothing: everything is seen, as without it.
{ machine, pkgs, ... }:
{
  nodes.machine = machine {
    boot.kernelParams = [ "lockdown=integrity" ];
    security.lsm = [ "lockdown" ];
    environment.systemPackages = [ pkgs.curl ];
  };

  testScript = ''
    started(machine)
    assert "[integrity]" in machine.succeed("cat /sys/kernel/security/lockdown")
    machine.succeed("sentinel doctor")
    metrics = machine.succeed("curl --fail --silent http://127.0.0.1:9102/metrics")
    degraded = [line for line in metrics.splitlines() if line.startswith("sentinel_hook_state") and "degraded" in line]
    assert degraded == [], degraded
  '';
}
