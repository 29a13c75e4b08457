package main

import (
	"bytes"
	"debug/buildinfo"
	"runtime/debug"

	"github.com/CycloneDX/cyclonedx-go"
)

// sbom lists, in CycloneDX, the modules that are linked into a Go binary, as the binary itself says. It holds neither a
// date nor a random serial number, so that the same binary has the same list.
func sbom(binary []byte, version string) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return nil, err
	}
	wicket := component(&debug.Module{Path: info.Main.Path, Version: version}, cyclonedx.ComponentTypeApplication)
	components := []cyclonedx.Component{
		component(&debug.Module{Path: "std", Version: info.GoVersion}, cyclonedx.ComponentTypeLibrary),
	}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component(module, cyclonedx.ComponentTypeLibrary))
	}
	list := cyclonedx.NewBOM()
	list.Metadata = &cyclonedx.Metadata{Component: &wicket}
	list.Components = &components
	var out bytes.Buffer
	err = cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(list)
	return out.Bytes(), err
}

func component(module *debug.Module, kind cyclonedx.ComponentType) cyclonedx.Component {
	purl := "pkg:golang/" + module.Path + "@" + module.Version
	return cyclonedx.Component{BOMRef: purl, Type: kind, Name: module.Path, Version: module.Version, PackageURL: purl}
}
