package operation

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// proxy is nginx before several replicas, as a careful operator sets it up: each request goes to the next replica, and
// to another one where it could not be sent; what was sent and not answered is repeated only where that does no harm.
type proxy struct {
	Folder, User string
	Generation   int      // of the configuration
	Port         int      // takes turns
	In           []string // the addresses that take part
	Ports        []replicaPort
	process      *exec.Cmd
	log          bytes.Buffer
}

// replicaPort is a port of the proxy behind which there is one replica alone.
type replicaPort struct {
	Port    int
	Address string
}

var proxyConfiguration = template.Must(template.New("nginx.conf").Parse(`
{{with .User}}user {{.}};{{end}}
daemon off;
worker_processes 1;
pid {{.Folder}}/pid;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path {{.Folder}}/body;
	proxy_temp_path {{.Folder}}/proxy;
	fastcgi_temp_path {{.Folder}}/fastcgi;
	uwsgi_temp_path {{.Folder}}/uwsgi;
	scgi_temp_path {{.Folder}}/scgi;
	proxy_http_version 1.1;
	proxy_set_header Connection "";
	proxy_set_header Host $http_host;
	proxy_set_header X-Forwarded-For $remote_addr;
	proxy_connect_timeout 2s;
	proxy_next_upstream error timeout; # and never non_idempotent
	upstream wicket {
		{{range .In}}server {{.}} max_fails=1 fail_timeout=1s;
		{{end}}keepalive 32;
	}
	server {
		listen 127.0.0.1:{{.Port}};
		location / { proxy_pass http://wicket; add_header X-Replica $upstream_addr always; }
		location = /generation { return 200 "{{.Generation}}"; }
	}
	{{range .Ports}}server {
		listen 127.0.0.1:{{.Port}};
		location / { proxy_pass http://{{.Address}}; }
	}
	{{end}}
}
`))

// startProxy starts nginx before the replicas at those addresses, none of which need be there yet, until the test ends.
func startProxy(t testing.TB, addresses []string) *proxy {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			harness.LeaveOut(t, "nginx is not installed (Debian: apt-get install nginx-light)")
		}
	}
	p := &proxy{Folder: t.TempDir(), Port: harness.FreePort(t), In: addresses}
	for _, address := range addresses {
		p.Ports = append(p.Ports, replicaPort{harness.FreePort(t), address})
	}
	if os.Getuid() == 0 { // or its worker would be nobody, who may not enter the folder
		account, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		p.User = account.Username
	}
	p.write(t)
	p.process = exec.Command(program, "-c", p.file(), "-e", "stderr")
	p.process.Stderr = &p.log
	if err := storagetest.StartChild(p.process, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.process.Process.Signal(syscall.SIGTERM)
		_ = p.process.Wait()
		if t.Failed() {
			t.Logf("nginx:\n%.10000s", &p.log)
		}
	})
	p.awaitGeneration(t)
	return p
}

func (p *proxy) file() string { return filepath.Join(p.Folder, "nginx.conf") }

func (p *proxy) write(t testing.TB) {
	t.Helper()
	p.Generation++
	var text bytes.Buffer
	if err := proxyConfiguration.Execute(&text, p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file(), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// send sends requests to the replicas at these addresses alone from now on.
func (p *proxy) send(t testing.TB, addresses []string) {
	t.Helper()
	p.In = addresses
	p.write(t)
	if err := p.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.awaitGeneration(t)
}

// awaitGeneration waits until nginx works by the configuration that was written last.
func (p *proxy) awaitGeneration(t testing.TB) {
	t.Helper()
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	storagetest.Eventually(t, 10*time.Second, "nginx has read its configuration", func() bool {
		response, err := once.Get(p.origin() + "/generation")
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		read, _ := io.ReadAll(response.Body)
		return string(read) == fmt.Sprint(p.Generation)
	})
}

// awaitTrust waits until nginx sends requests again to a replica that failed a while ago.
func (p *proxy) awaitTrust(t testing.TB, address string) {
	t.Helper()
	storagetest.Eventually(t, 10*time.Second, "nginx sends requests to "+address+" again", func() bool {
		response, err := http.Get(p.origin() + "/healthz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.Header.Get("X-Replica") == address
	})
}

// origin is where everybody comes in.
func (p *proxy) origin() string { return fmt.Sprintf("http://localhost:%d", p.Port) }
