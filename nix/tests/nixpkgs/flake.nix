{
  description = ''
    A stand-in for nixpkgs with just the names that Sentinel uses, to walk every output of its flake where the real
    one cannot be had. It proves wiring (names, types, options, assertions, texts), not what nixpkgs builds.
  '';

  outputs =
    { self }:
    {
      lib = import ./lib.nix;
      legacyPackages = self.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
        system: import ./pkgs.nix { inherit system; }
      );
    };
}
