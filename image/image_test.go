package main

import (
	"archive/tar"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const testVersion = "1.2.3"

var architectures = []string{"amd64", "arm64"}

// built is the image, made once for all tests.
var built = sync.OnceValues(func() (*image, error) { return build("..", testVersion, architectures) })

func theImage(t testing.TB) *image {
	t.Helper()
	made, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// each calls do with the image for each architecture.
func each(t *testing.T, index v1.ImageIndex, do func(t *testing.T, architecture string, one v1.Image)) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, descriptor := range manifest.Manifests {
		one, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, descriptor.Platform.Architecture)
		t.Run(descriptor.Platform.String(), func(t *testing.T) { do(t, descriptor.Platform.Architecture, one) })
	}
	if !slices.Equal(found, architectures) {
		t.Errorf("the index is for %v, want %v", found, architectures)
	}
}

// Copied to another folder, with other times, the same sources make the same image and the same SBOMs.
func TestSameSourcesSameDigest(t *testing.T) {
	first := theImage(t)
	elsewhere := t.TempDir()
	copySources(t, "..", elsewhere)
	second, err := build(elsewhere, testVersion, architectures)
	if err != nil {
		t.Fatal(err)
	}
	one, err := first.index.Digest()
	two, err2 := second.index.Digest()
	if err := errors.Join(err, err2); err != nil || one != two {
		t.Errorf("%s, then %s, %v", one, two, err)
	}
	for _, architecture := range architectures {
		if string(first.sboms[architecture]) != string(second.sboms[architecture]) {
			t.Errorf("the SBOMs for %s differ", architecture)
		}
	}
}

// copySources copies what the binary is made of.
func copySources(t testing.TB, from, to string) {
	t.Helper()
	skip := []string{".git", "bin", "dist", "helm", "image", "node_modules", ".venv", "screenshots", "wicket-data"}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(skip, entry.Name()) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil // a link to one
		}
		relative, err := filepath.Rel(from, path)
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(filepath.Join(to, relative), 0o700))
		}
		content, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(filepath.Join(to, relative), content, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a container engine gets: written to a folder, pushed to a registry and pulled again, whole, and as it should be
// run.
func TestImageOfEachArchitecture(t *testing.T) {
	folder := t.TempDir()
	if err := theImage(t).write(folder, testVersion); err != nil {
		t.Fatal(err)
	}
	written, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := written.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("the folder holds %+v, %v; want one index", manifest, err)
	}
	index, err := written.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	reference, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/wicket:" + testVersion)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(reference, index); err != nil {
		t.Fatal(err)
	}
	if index, err = remote.Index(reference); err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	each(t, index, func(t *testing.T, architecture string, one v1.Image) {
		config, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != architecture || config.Config.User != "65532:65532" ||
			len(config.RootFS.DiffIDs) != 1 {
			t.Errorf("%s/%s as %s, %d layers", config.OS, config.Architecture, config.Config.User, len(config.RootFS.DiffIDs))
		}
		if !slices.Equal(config.Config.Entrypoint, []string{"/usr/bin/wicket"}) ||
			!slices.Equal(config.Config.Cmd, []string{"serve"}) {
			t.Errorf("it runs %v %v", config.Config.Entrypoint, config.Config.Cmd)
		}
		if size := layerSize(t, one); size > 25<<20 {
			t.Errorf("it is %d MiB", size>>20)
		}
		contents := map[string]*tar.Header{}
		var elf, roots []byte
		eachFile(t, one, func(header *tar.Header, content []byte) {
			contents[header.Name] = header
			switch header.Name {
			case "usr/bin/wicket":
				elf = content
			case "etc/ssl/certs/ca-certificates.crt":
				roots = content
			}
			if header.Mode&0o6000 != 0 {
				t.Errorf("%s is setuid", header.Name)
			}
			if header.Mode&0o002 != 0 && header.Name != "tmp/" || header.Uid != 0 && header.Name != "var/lib/wicket/" {
				t.Errorf("the user may write to %s", header.Name)
			}
		})
		if machine := map[string]byte{"amd64": 0x3e, "arm64": 0xb7}[architecture]; len(elf) < 20 ||
			string(elf[:4]) != "\x7fELF" || elf[18] != machine {
			t.Error("the binary is for something else")
		}
		if n := strings.Count(string(roots), "BEGIN CERTIFICATE"); n < 80 {
			t.Errorf("%d root certificates", n)
		}
		for rest := roots; len(rest) > 0; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				t.Fatal("the certificates are no PEM")
			}
		}
		if len(contents) != len(files(nil)) {
			t.Errorf("%d files, want %d: %v", len(contents), len(files(nil)), contents)
		}
	})
}

// The Dockerfile says the same of how the image is run.
func TestDockerfileSaysTheSame(t *testing.T) {
	content, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), "\\\n", "")
	_, last, _ := strings.Cut(text, "FROM scratch\n")
	said := map[string]string{}
	for line := range strings.Lines(last) {
		if instruction, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			said[instruction] = rest
		}
	}
	config := runtimeConfig(testVersion)
	quoted := func(list []string) string { encoded, _ := json.Marshal(list); return string(encoded) }
	for instruction, want := range map[string]string{
		"USER": config.User, "ENV": strings.Join(config.Env, " "), "WORKDIR": config.WorkingDir, "VOLUME": home,
		"EXPOSE":     "8080",
		"ENTRYPOINT": quoted(config.Entrypoint), "CMD": quoted(config.Cmd),
	} {
		if said[instruction] != want {
			t.Errorf("%s %s, want %s", instruction, said[instruction], want)
		}
	}
	labels := map[string]string{}
	for _, match := range regexp.MustCompile(`(\S+)="([^"]*)"`).FindAllStringSubmatch(said["LABEL"], -1) {
		labels[match[1]] = strings.ReplaceAll(match[2], "$VERSION", testVersion)
	}
	if fmt.Sprint(labels) != fmt.Sprint(config.Labels) {
		t.Errorf("labels %v, want %v", labels, config.Labels)
	}
}

// What the Dockerfile copies is what the image holds.
func TestFilesForTheDockerfile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a folder to another user, as the Dockerfile's first stage does")
	}
	root := t.TempDir()
	if err := run("..", "", testVersion, []string{runtime.GOARCH}, root, t.Logf); err != nil {
		t.Fatal(err)
	}
	each(t, theImage(t).index, func(t *testing.T, architecture string, one v1.Image) {
		if architecture != runtime.GOARCH {
			return
		}
		eachFile(t, one, func(header *tar.Header, content []byte) {
			path := filepath.Join(root, header.Name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != header.FileInfo().Mode() || int(info.Sys().(*syscall.Stat_t).Uid) != header.Uid {
				t.Errorf(
					"%s is %s of %d, want %s of %d", header.Name, info.Mode(), info.Sys().(*syscall.Stat_t).Uid,
					header.FileInfo().Mode(), header.Uid,
				)
			}
			if !info.IsDir() {
				if copied, err := os.ReadFile(path); err != nil || string(copied) != string(content) {
					t.Errorf("%s differs, %v", header.Name, err)
				}
			}
		})
	})
}

// The SBOM names the modules that are linked, with the versions of go.mod.
func TestSBOM(t *testing.T) {
	for _, architecture := range architectures {
		var list struct {
			Format   string `json:"bomFormat"`
			Metadata struct {
				Component struct{ Name, Version string }
			}
			Components []struct{ Name, Version, PURL string }
		}
		if err := json.Unmarshal(theImage(t).sboms[architecture], &list); err != nil {
			t.Fatal(err)
		}
		if list.Format != "CycloneDX" || list.Metadata.Component.Name != "github.com/wicket-id/wicket" ||
			list.Metadata.Component.Version != testVersion {
			t.Errorf("%s: %s of %+v", architecture, list.Format, list.Metadata)
		}
		gomod, err := os.ReadFile("../go.mod")
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, c := range list.Components {
			named[c.Name] = true
			if c.Name != "std" && !strings.Contains(string(gomod), c.Name+" "+c.Version) {
				t.Errorf("go.mod lacks %s %s", c.Name, c.Version)
			}
			if c.PURL != "pkg:golang/"+c.Name+"@"+c.Version {
				t.Errorf("%s has the package URL %s", c.Name, c.PURL)
			}
		}
		for _, want := range []string{"std", "github.com/gin-gonic/gin", "github.com/ory/fosite", "modernc.org/sqlite", "github.com/jackc/pgx/v5"} {
			if !named[want] {
				t.Errorf("%s: %s is missing", architecture, want)
			}
		}
	}
}

// The files of the image are all that Wicket needs: as its user, with nothing else to be seen, it serves and is
// operated.
func TestImageRuns(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root file system of a process")
	}
	if !slices.Contains(architectures, runtime.GOARCH) {
		t.Skip("there is no image for this machine")
	}
	root, err := os.MkdirTemp("", "wicket-root-") // t.TempDir's parents are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	each(t, theImage(t).index, func(t *testing.T, architecture string, one v1.Image) {
		if architecture == runtime.GOARCH {
			unpack(t, one, root)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	config := runtimeConfig(testVersion)
	command := func(arguments ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), config.Entrypoint[0], arguments...)
		c.Env = append(slices.Clone(config.Env), "WICKET_LISTEN="+address, "WICKET_ISSUER=http://"+address)
		c.Dir = config.WorkingDir
		c.SysProcAttr = &syscall.SysProcAttr{
			Chroot: root, Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL,
		}
		return c
	}
	version, err := command("version").Output()
	if err != nil || !strings.HasPrefix(string(version), "wicket "+testVersion+" ") {
		t.Errorf("its version is %q, %v", version, err)
	}
	var said strings.Builder
	server := command(config.Cmd...)
	server.Stderr = &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			_ = server.Process.Kill()
			_ = server.Wait()
			t.Fatalf("it does not answer: %v\n%s", err, &said)
		}
	}
	for _, arguments := range [][]string{{"check", "http://" +
		address}, {"user", "list"}, {"client", "create", "--name", "App", "--redirect-uri", "https://app.example/"}, {"audit", "list"}} {
		if output, err := command(arguments...).CombinedOutput(); err != nil {
			t.Errorf("wicket %s: %v\n%s", strings.Join(arguments, " "), err, output)
		} else if arguments[0] == "audit" && !strings.Contains(string(output), "operator:wicket") {
			t.Errorf("the audit trail does not know who it was:\n%s", output)
		}
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("it does not end in peace: %v\n%s", err, &said)
	}
}

// unpack puts the files of an image where a container engine would.
func unpack(t testing.TB, one v1.Image, root string) {
	t.Helper()
	eachFile(t, one, func(header *tar.Header, content []byte) {
		path := filepath.Join(root, header.Name)
		var err error
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = os.WriteFile(path, content, 0o600)
		}
		if err := errors.Join(
			err, os.Chown(path, header.Uid, header.Gid), os.Chmod(path, header.FileInfo().Mode()),
		); err != nil {
			t.Fatal(err)
		}
	})
}

func eachFile(t testing.TB, one v1.Image, do func(header *tar.Header, content []byte)) {
	t.Helper()
	layers, err := one.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		stream, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for reader := tar.NewReader(stream); ; {
			header, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			content, readErr := io.ReadAll(reader)
			if err := errors.Join(err, readErr); err != nil {
				t.Fatal(err)
			}
			do(header, content)
		}
		_ = stream.Close()
	}
}

func layerSize(t testing.TB, one v1.Image) (size int64) {
	t.Helper()
	layers, err := one.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		n, err := layer.Size()
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	return size
}

// What the image is built with cannot be replaced by somebody else: every base is named by its digest.
func TestBasesOfTheDockerfileHaveDigests(t *testing.T) {
	content, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	bases := regexp.MustCompile(`(?m)^(?:FROM(?: --\S+)*|# *syntax *=) *(\S+)`).FindAllStringSubmatch(string(content), -1)
	if len(bases) == 0 {
		t.Fatal("there are no bases")
	}
	pinned := regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	for _, base := range bases {
		if base[1] != "scratch" && !pinned.MatchString(base[1]) {
			t.Errorf("%s has no digest", base[1])
		}
	}
}
