# services.sentinel: agent, detector and dashboard. `enable` turns all three on for one host; each can also be had
# alone. `flake` is where the packages come from.
flake:
{ lib, ... }:
{
  imports = [
    (import ./agent.nix flake)
    (import ./detector.nix flake)
    (import ./dashboard.nix flake)
  ];

  options.services.sentinel.enable = lib.mkEnableOption "" // {
    description = ''
      Whether to watch this machine: agent, detector and dashboard, connected to each other, listening on the
      loopback only. Each can be turned off by its own `enable`.
    '';
  };
}
