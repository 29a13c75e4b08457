package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image is the index of the images of all architectures, and the SBOM of each.
type image struct {
	index v1.ImageIndex
	sboms map[string][]byte // by architecture, CycloneDX in JSON
}

// build makes the image for every architecture.
func build(source, version string, architectures []string) (*image, error) {
	built := &image{index: mutate.IndexMediaType(empty.Index, types.OCIImageIndex), sboms: map[string][]byte{}}
	for _, architecture := range architectures {
		binary, err := compile(source, version, architecture)
		if err != nil {
			return nil, err
		}
		if built.sboms[architecture], err = sbom(binary, version); err != nil {
			return nil, fmt.Errorf("list what is in the binary for %s: %w", architecture, err)
		}
		one, err := buildOne(binary, version, architecture)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", architecture, err)
		}
		built.index = mutate.AppendManifests(built.index, mutate.IndexAddendum{
			Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	return built, nil
}

// write makes a folder with the image in it, as an OCI image layout that holds one index.
func (i *image) write(folder, version string) error {
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(i.index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": version,
	}))
}

// buildOne makes the image for one architecture: one layer, and how to run it.
func buildOne(binary []byte, version, architecture string) (v1.Image, error) {
	content, err := archive(files(binary))
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestCompression))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	one, err := mutate.Append(base, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{CreatedBy: "make image", Created: v1.Time{Time: time.Unix(0, 0).UTC()}},
	})
	if err != nil {
		return nil, err
	}
	config, err := one.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = runtimeConfig(version)
	return mutate.ConfigFile(one, config)
}

// runtimeConfig is how the image is run: keep it in step with the Dockerfile, which a test compares.
func runtimeConfig(version string) v1.Config {
	return v1.Config{
		User:         fmt.Sprintf("%d:%d", uid, uid),
		Env:          []string{"PATH=/usr/bin", "WICKET_LISTEN=:8080"},
		Entrypoint:   []string{"/usr/bin/wicket"},
		Cmd:          []string{"serve"},
		WorkingDir:   home,
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Volumes:      map[string]struct{}{home: {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "Wicket",
			"org.opencontainers.image.source":   "https://github.com/wicket-id/wicket",
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.version":  version,
		},
	}
}
