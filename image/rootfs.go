package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// Who Wicket is in the image, and where it keeps what it is told to keep. 65532 is distroless's nonroot.
const (
	uid  = 65532
	home = "/var/lib/wicket"
)

// file is a file or folder of the image, owned by root unless it is its user's.
type file struct {
	path    string
	mode    int64
	folder  bool
	ours    bool
	content []byte
}

// compile returns the static binary of Wicket for Linux on that architecture, the same for the same sources and version
// wherever they lie.
func compile(source, version, architecture string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "wicket-image-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary := filepath.Join(folder, "wicket")
	command := exec.Command(
		"go", "build", "-trimpath", "-tags", "nomsgpack", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.released="+version, "-o", binary, "./cmd/wicket",
	)
	command.Dir = source
	command.Env = append(
		os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=",
		"GOWORK=off",
	)
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile for %s: %w\n%s", architecture, err, output)
	}
	return os.ReadFile(binary)
}

// files are all that the image holds: no shell, no package manager, nothing that could be used but Wicket. Time zones
// are in the binary.
func files(binary []byte) []file {
	return []file{
		{path: "/etc", mode: 0o755, folder: true},
		{path: "/etc/group", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:\nwicket:x:%d:\n", uid)},
		{path: "/etc/passwd", mode: 0o644, content: fmt.Appendf(
			nil, "root:x:0:0:root:/:/sbin/nologin\nwicket:x:%d:%d:Wicket:%s:/sbin/nologin\n", uid, uid, home,
		)},
		{path: "/etc/ssl", mode: 0o755, folder: true},
		{path: "/etc/ssl/certs", mode: 0o755, folder: true},
		{path: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates()},
		{path: "/tmp", mode: 0o1777, folder: true},
		{path: "/usr", mode: 0o755, folder: true},
		{path: "/usr/bin", mode: 0o755, folder: true},
		{path: "/usr/bin/wicket", mode: 0o755, content: binary},
		{path: "/var", mode: 0o755, folder: true},
		{path: "/var/lib", mode: 0o755, folder: true},
		{path: home, mode: 0o700, folder: true, ours: true},
	}
}

// certificates are the roots that Mozilla trusts, from the bundle that the Go team keeps. Those that are trusted only
// up to a date or for some names are left out: a file of certificates cannot say so.
func certificates() []byte {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return roots.Bytes()
}

// archive is a tar of files that says nothing of when and where it was made.
func archive(files []file) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{
			Name: f.path[1:], Mode: f.mode, Size: int64(len(f.content)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0),
			Format: tar.FormatUSTAR,
		}
		if f.folder {
			header.Name, header.Typeflag = header.Name+"/", tar.TypeDir
		}
		if f.ours {
			header.Uid, header.Gid = uid, uid
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return out.Bytes(), err
}

// write puts files into a folder. Only root can give them their owners.
func write(root string, files []file) error {
	for _, f := range files {
		path := filepath.Join(root, f.path)
		var err error
		if f.folder {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = os.WriteFile(path, f.content, 0o600)
		}
		if err == nil && f.ours {
			err = os.Chown(path, uid, uid)
		}
		if err == nil {
			mode := os.FileMode(f.mode & 0o777)
			if f.mode&0o1000 != 0 {
				mode |= os.ModeSticky
			}
			err = os.Chmod(path, mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
