# NixOS tests: every file of cases/ on every kernel of kernels.nix, named `vm-CASE-KERNEL`. Nothing is listed by hand.
{ self, pkgs }:
let
  inherit (pkgs) lib;
  kernels = import ./kernels.nix { inherit pkgs; };
  cases = map (lib.removeSuffix ".nix") (
    lib.filter (lib.hasSuffix ".nix") (lib.attrNames (builtins.readDir ./cases))
  );

  test =
    case: kernel: kernelPackages:
    let
      settings = import (./cases + "/${case}.nix") {
        inherit self pkgs;
        # What every machine of a test is: Sentinel on this kernel, small.
        machine = module: {
          imports = [
            self.nixosModules.default
            module
          ];
          boot = { inherit kernelPackages; };
          services.sentinel.agent.enable = lib.mkDefault true;
          virtualisation = {
            memorySize = 2048;
            cores = 2;
          };
          environment.systemPackages = [ pkgs.jq ];
          system.stateVersion = "26.05";
        };
      };
      name = "${case}-${lib.replaceStrings [ "." ] [ "-" ] kernel}";
    in
    lib.nameValuePair "vm-${name}" (
      pkgs.testers.runNixOSTest {
        inherit name;
        inherit (settings) nodes;
        testScript = builtins.readFile ./prelude.py + settings.testScript;
        # A test that hangs is a test that fails.
        globalTimeout = settings.timeout or 900;
      }
    );
in
lib.listToAttrs (lib.concatMap (case: lib.mapAttrsToList (test case) kernels) cases)
