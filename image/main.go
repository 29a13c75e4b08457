// Command image makes Wicket's container image without a container engine: for each architecture a binary, the few
// files around it, an image and an SBOM; and an index that holds both. The same sources make the same digest.
//
// In a module of its own, so that what it needs stays out of Wicket's.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	source := flag.String("source", "..", "folder of Wicket's main module")
	out := flag.String("out", "../dist/image", "folder for the image, an OCI image layout, beside which the SBOMs go")
	version := flag.String("version", "0.0.0", "version of Wicket, which wicket version and the labels say")
	architectures := flag.String("architectures", "amd64,arm64", "architectures, by commas")
	rootfs := flag.String(
		"rootfs", "",
		"write the files of the image into this folder instead, for the first architecture: what the Dockerfile copies",
	)
	flag.Parse()
	err := run(*source, *out, *version, strings.Split(*architectures, ","), *rootfs, log)
	if err != nil {
		log("image: %v", err)
		os.Exit(1)
	}
}

func run(source, out, version string, architectures []string, rootfs string, log func(string, ...any)) error {
	if rootfs != "" {
		binary, err := compile(source, version, architectures[0])
		if err != nil {
			return err
		}
		return write(rootfs, files(binary))
	}
	built, err := build(source, version, architectures)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	if err := built.write(out, version); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	for architecture, sbom := range built.sboms {
		if err := os.WriteFile(out+"-"+architecture+".cdx.json", sbom, 0o644); err != nil {
			return err
		}
	}
	digest, err := built.index.Digest()
	if err == nil {
		log("%s holds %s for %s", out, digest, strings.Join(architectures, " and "))
	}
	return err
}
