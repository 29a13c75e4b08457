// Command kubernetes is a real Kubernetes API server with its etcd in one process, for the chart's tests: it takes,
// checks and keeps manifests as a cluster does, and runs none of what they say, for it has no node.
//
// In a module of its own, because it takes ten minutes to compile: see `make test-kubernetes`.
package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Takes a folder for its data and a loopback port for the API, and a file of tokens: TOKEN,USER,UID,"GROUP".
func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes FOLDER PORT TOKENS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes: "+err.Error())
		os.Exit(1)
	}
}

func run(folder, port, tokens string) error {
	if err := os.Chdir(folder); err != nil { // where the sockets are
		return err
	}
	socket := url.URL{Scheme: "unix", Host: "etcd:0"} // etcd wants a port, even of a socket
	config := embed.NewConfig()
	config.Dir = filepath.Join(folder, "data")
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{socket}, []url.URL{socket}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{{Scheme: "unix", Host: "peer:0"}}, []url.URL{
		{Scheme: "unix", Host: "peer:0"},
	}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer etcd.Close()
	<-etcd.Server.ReadyNotify()
	key := filepath.Join(folder, "service-account.key")
	server := app.NewAPIServerCommand()
	server.SetArgs([]string{
		"--etcd-servers=" + socket.String(), "--secure-port=" + port, "--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--cert-dir=" + folder, "--token-auth-file=" + tokens, "--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--disable-admission-plugins=ServiceAccount", "--enable-priority-and-fairness=false",
	})
	return server.Execute()
}
