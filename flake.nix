{
  description = "Sentinel: runtime security for Linux hosts and Kubernetes nodes";

  # One input. A second one would have to save more than it costs to keep.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      eachSystem = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
      pkgsFor = system: nixpkgs.legacyPackages.${system};
      packagesFor = system: import ./nix/packages.nix { pkgs = pkgsFor system; };
    in
    {
      packages = eachSystem packagesFor;

      overlays.default = final: _prev: {
        sentinel = (import ./nix/packages.nix { pkgs = final; }).default;
      };

      apps = eachSystem (system: import ./nix/apps.nix { packages = self.packages.${system}; });

      devShells = eachSystem (system: {
        default = (pkgsFor system).callPackage ./nix/shell.nix {
          inherit (self.packages.${system}) default;
        };
      });

      formatter = eachSystem (system: (pkgsFor system).nixfmt-tree);

      nixosModules.default = import ./nixos-module self;

      checks = eachSystem (
        system:
        import ./nix/checks.nix {
          inherit self;
          pkgs = pkgsFor system;
        }
      );
    };
}
