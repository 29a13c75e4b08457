//go:build kubernetes

package tests

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// cluster is a real Kubernetes API server, without nodes.
type cluster struct {
	*kubernetes.Clientset
	address, token string
	warnings       *warnings
}

// warnings collects what the API server warns of: pods that are not restricted, members that it does not know.
type warnings struct {
	mu   sync.Mutex
	text []string
}

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text != "" {
		w.text = append(w.text, text)
	}
}

// taken returns what was warned of since the last time.
func (w *warnings) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.text
	w.text = nil
	return text
}

// startCluster starts the program that WICKET_TEST_KUBERNETES names; `make test-kubernetes` compiles it.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	program := os.Getenv("WICKET_TEST_KUBERNETES")
	if program == "" {
		t.Fatal("WICKET_TEST_KUBERNETES does not name the API server; run: make test-kubernetes")
	}
	folder := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{token: rand.Text(), warnings: &warnings{}}
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("service-account.key", pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key),
	}))
	write("tokens", fmt.Appendf(nil, "%s,admin,1,system:masters\n", c.token))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = listener.Addr().String()
	_, port, _ := net.SplitHostPort(c.address)
	_ = listener.Close()
	server := exec.Command(program, folder, port, filepath.Join(folder, "tokens"))
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	if c.Clientset, err = kubernetes.NewForConfig(
		c.config(&rest.Config{
			Host: "https://" + c.address, BearerToken: c.token, TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		}),
	); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err = c.RESTClient().Get().AbsPath("/readyz").Do(t.Context()).Error(); err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatalf("the API server does not answer: %v\n%s", err, &log)
		}
	}
}

func (c *cluster) config(config *rest.Config) *rest.Config {
	config.WarningHandler = c.warnings
	config.QPS, config.Burst = 200, 200
	return config
}

// helm is Helm, at work in that namespace.
func (c *cluster) helm(t testing.TB, namespace string) *action.Configuration {
	t.Helper()
	flags, insecure, address := genericclioptions.NewConfigFlags(false), true, "https://"+c.address
	flags.APIServer, flags.BearerToken, flags.Insecure = &address, &c.token, &insecure
	flags.Namespace, flags.WrapConfigFn = &namespace, c.config
	configuration := action.NewConfiguration()
	if err := configuration.Init(flags, namespace, "secret"); err != nil {
		t.Fatal(err)
	}
	return configuration
}

// namespace makes a namespace that holds its pods to that pod security standard, and warns of others.
func (c *cluster) namespace(t testing.TB, name, standard string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		"pod-security.kubernetes.io/enforce": standard, "pod-security.kubernetes.io/warn": standard,
	}}}
	if _, err := c.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// define makes the kinds that are not Kubernetes' own known.
func (c *cluster) define(t testing.TB) {
	t.Helper()
	helm := c.helm(t, "default")
	for _, file := range otherKinds(t) {
		reader, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		resources, err := helm.KubeClient.Build(reader, false)
		_ = reader.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := helm.KubeClient.Create(resources, kube.ClientCreateOptionServerSideApply(true, false)); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, routes := c.Discovery().ServerResourcesForGroupVersion("gateway.networking.k8s.io/v1")
		_, monitors := c.Discovery().ServerResourcesForGroupVersion("monitoring.coreos.com/v1")
		if routes == nil && monitors == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(routes, monitors)
		}
	}
	c.warnings.taken()
}

// A cluster takes what the chart makes, without a warning; an upgrade and a rollback change what they should, whoever
// brings the database up to date; and people's accounts stay when it is uninstalled.
func TestInACluster(t *testing.T) {
	c := startCluster(t)
	c.define(t)
	for name, set := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			standard := "restricted"
			if name == "everything" {
				standard = "privileged" // for its sidecar, which is not ours
			}
			c.namespace(t, name, standard)
			helm := c.helm(t, name)
			quiet := func(did string, err error) {
				t.Helper()
				if warned := c.warnings.taken(); err != nil || len(warned) > 0 {
					t.Fatalf("%s: %v %v", did, err, warned)
				}
			}
			image := func() string {
				t.Helper()
				list, err := c.AppsV1().Deployments(name).List(t.Context(), metav1.ListOptions{})
				if err != nil || len(list.Items) != 1 {
					t.Fatalf("%d deployments, %v", len(list.Items), err)
				}
				containers := list.Items[0].Spec.Template.Spec.Containers
				return containers[slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == "wicket" })].Image
			}
			jobs := func() (names []string) {
				t.Helper()
				list, err := c.BatchV1().Jobs(name).List(t.Context(), metav1.ListOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, job := range list.Items {
					names = append(names, job.Name)
				}
				return names
			}
			install := action.NewInstall(helm)
			install.ReleaseName, install.Namespace = testRelease, name
			install.WaitStrategy, install.Timeout = kube.HookOnlyStrategy, time.Minute
			_, err := install.Run(loadChart(t), values(t, set))
			quiet("install", err)
			first, firstJobs := image(), jobs()
			c.podsAreTaken(t, name, standard)

			upgrade := action.NewUpgrade(helm)
			upgrade.Namespace, upgrade.WaitStrategy, upgrade.Timeout = name, kube.HookOnlyStrategy, time.Minute
			_, err = upgrade.Run(
				testRelease, loadChart(t),
				values(t, set, "{image: {digest: '', tag: v2}, podAnnotations: {new: pods}, metrics: {port: 9191}}"),
			)
			quiet("upgrade", err)
			if !strings.HasSuffix(image(), ":v2") {
				t.Errorf("after the upgrade the image is %s", image())
			}
			if now := jobs(); len(now) != len(firstJobs) || len(now) == 1 && now[0] == firstJobs[0] {
				t.Errorf("the Job was %v and is %v", firstJobs, now)
			}

			rollback := action.NewRollback(helm)
			rollback.Version, rollback.WaitStrategy, rollback.Timeout = 1, kube.HookOnlyStrategy, time.Minute
			quiet("roll back", rollback.Run(testRelease))
			if image() != first || !slices.Equal(jobs(), firstJobs) {
				t.Errorf("after the rollback: %s %v, want %s %v", image(), jobs(), first, firstJobs)
			}

			uninstall := action.NewUninstall(helm)
			uninstall.WaitStrategy, uninstall.Timeout = kube.HookOnlyStrategy, time.Minute
			_, err = uninstall.Run(testRelease)
			quiet("uninstall", err)
			claims, err := c.CoreV1().PersistentVolumeClaims(name).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if kept := len(claims.Items) == 1 && claims.Items[0].DeletionTimestamp == nil; kept != (name == "trial") {
				t.Errorf("%d claims are left", len(claims.Items))
			}
		})
	}
}

// podsAreTaken makes the pods of the Deployment, for here is nobody else who does: admission then enforces what it only
// warns of in a Deployment.
func (c *cluster) podsAreTaken(t *testing.T, namespace, standard string) {
	t.Helper()
	if standard != "restricted" {
		return
	}
	list, err := c.AppsV1().Deployments(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, deployment := range list.Items {
		pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
		pod.GenerateName = "pod-"
		if _, err := c.CoreV1().
			Pods(namespace).
			Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
			t.Errorf("its pod is refused: %v", err)
		}
	}
}

// What the cluster must refuse or warn of it does, or the test above would find nothing.
func TestClusterFindsFaults(t *testing.T) {
	c := startCluster(t)
	c.namespace(t, "strict", "restricted")
	deployment := func(change func(*appsv1.Deployment)) error {
		labels := map[string]string{"a": "b"}
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{GenerateName: "d-"}, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
			},
		}}
		change(d)
		_, err := c.AppsV1().Deployments("strict").Create(context.Background(), d, metav1.CreateOptions{})
		return err
	}
	c.warnings.taken()
	if err := deployment(func(*appsv1.Deployment) {}); err != nil || len(c.warnings.taken()) == 0 {
		t.Errorf("a pod that is not restricted: %v, and no warning", err)
	}
	if err := deployment(func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 99999}}
	}); err == nil {
		t.Error("the port 99999 was taken")
	}
}
