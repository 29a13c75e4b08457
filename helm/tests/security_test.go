package tests

import (
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// podSpecs returns every pod that the chart would start, by kind and name.
func podSpecs(r rendered) map[string]object {
	specs := map[string]object{}
	for _, o := range r.objects {
		switch o.text("kind") {
		case "Deployment", "Job":
			specs[o.text("kind")+" "+o.text("metadata.name")] = o.at("spec.template.spec").(map[string]any)
		case "Pod":
			specs["Pod "+o.text("metadata.name")] = o.at("spec").(map[string]any)
		}
	}
	return specs
}

// ours returns the containers of a pod that are Wicket's.
func ours(spec object) (containers []object) {
	for _, c := range append(slices.Clone(spec.list("initContainers")), spec.list("containers")...) {
		if c := object(c.(map[string]any)); slices.Contains([]string{"wicket", "migrate", "check"}, c.text("name")) {
			containers = append(containers, c)
		}
	}
	return containers
}

// Every pod keeps to the restricted pod security standard, writes to no root file system, and has no way into the API.
func TestPodsAreRestricted(t *testing.T) {
	for name, set := range valueSets(t) {
		r := render(t, set)
		for _, kind := range []string{"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} {
			if r.count(kind) > 0 {
				t.Errorf("%s: there is a %s", name, kind)
			}
		}
		specs := podSpecs(r)
		if len(specs) < 2 {
			t.Errorf("%s: %d pods, want the server and the test at least", name, len(specs))
		}
		for pod, spec := range specs {
			t.Run(name+" "+pod, func(t *testing.T) {
				for path, want := range map[string]any{
					"automountServiceAccountToken": false, "securityContext.runAsNonRoot": true,
					"securityContext.seccompProfile.type": "RuntimeDefault",
					"hostNetwork":                         nil, "hostPID": nil, "hostIPC": nil,
				} {
					if got := spec.at(path); got != want {
						t.Errorf("%s is %v, want %v", path, got, want)
					}
				}
				if len(ours(spec)) == 0 {
					t.Error("it has no container of ours")
				}
				for _, c := range ours(spec) {
					for path, want := range map[string]any{
						"securityContext.allowPrivilegeEscalation": false, "securityContext.readOnlyRootFilesystem": true,
						"securityContext.capabilities.drop.0": "ALL",
						"securityContext.capabilities.add":    nil, "securityContext.privileged": nil,
					} {
						if got := c.at(path); got != want {
							t.Errorf("%s: %s is %v, want %v", c.text("name"), path, got, want)
						}
					}
					if c.at("resources.limits.memory") == nil || c.at("resources.requests.cpu") == nil {
						t.Errorf("%s: it may take what it likes", c.text("name"))
					}
				}
				for _, v := range spec.list("volumes") {
					for kind := range v.(map[string]any) {
						if !slices.Contains(
							[]string{"name", "configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}, kind,
						) {
							t.Errorf("a volume of kind %s", kind)
						}
					}
				}
			})
		}
		for _, o := range r.objects {
			if o.text("kind") == "ServiceAccount" && o.at("automountServiceAccountToken") != false {
				t.Errorf("%s: the ServiceAccount hands out tokens", name)
			}
		}
	}
}

// What is secret comes from Secrets of the operator's, as files: no manifest holds one, no variable, and no template
// makes one up, which a GitOps tool would make anew each time.
func TestSecretsAreFiles(t *testing.T) {
	r := render(t, readFile(t, "testdata/everything.values.yaml"))
	if r.count("Secret") != 0 {
		t.Error("the chart makes a Secret")
	}
	spec := r.one(t, "Deployment", "").at("spec.template.spec")
	server := container(t, spec, "wicket")
	sources := map[string]string{}
	for _, v := range object(spec.(map[string]any)).list("volumes") {
		for _, source := range object(v.(map[string]any)).list("projected.sources") {
			secret := object(source.(map[string]any))
			sources[secret.text("secret.items.0.path")] = secret.text("secret.name") + "/" + secret.text("secret.items.0.key")
		}
	}
	for variable, want := range map[string]string{
		"WICKET_SECRET": "keys/wicket", "WICKET_DATABASE_URL": "database/url", "WICKET_REDIS_URL": "redis/uri",
		"WICKET_SMTP_URL": "mail/url",
		"WICKET_SMS_URL":  "twilio/url", "WICKET_SMS_SECRET": "twilio/signing",
		"WICKET_GOOGLE_CLIENT_SECRET": "google/client-secret",
		"WICKET_FIRST_INVITATION":     "first/token",
	} {
		if sources[variable] != want || server.variable(variable+"_FILE") != "/etc/wicket/secrets/"+variable ||
			server.variable(variable) != "" {
			t.Errorf("%s comes from %q by %q", variable, sources[variable], server.variable(variable+"_FILE"))
		}
	}
	for _, v := range server.list("env") {
		if from := object(v.(map[string]any)).at("valueFrom.secretKeyRef"); from != nil {
			t.Errorf("a variable holds a secret: %v", v)
		}
	}
	files, err := os.ReadDir(chartFolder + "/templates")
	if err != nil {
		t.Fatal(err)
	}
	random := regexp.MustCompile(
		`\b(rand(Alpha|Numeric|Ascii|Bytes|AlphaNum|Int)|genCA|genSignedCert|genSelfSignedCert|genPrivateKey|uuidv4|lookup|now|htpasswd|derivePassword)\b`,
	)
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		for line := range strings.Lines(readFile(t, chartFolder+"/templates/"+file.Name())) {
			if found := random.FindString(line); found != "" && strings.Contains(line, "{{") &&
				!strings.HasSuffix(file.Name(), "NOTES.txt") {
				t.Errorf("%s makes something anew each time: %s", file.Name(), line)
			}
		}
	}
}

// What is mounted by subPath never changes in a running pod, and what is secret or declared must.
func TestFilesFollowTheirSources(t *testing.T) {
	for name, set := range valueSets(t) {
		for _, list := range []string{"containers", "initContainers"} {
			for _, c := range object(
				render(t, set).one(t, "Deployment", "").at("spec.template.spec").(map[string]any),
			).list(list) {
				for _, m := range object(c.(map[string]any)).list("volumeMounts") {
					if m := object(m.(map[string]any)); m.at("subPath") != nil || m.at("subPathExpr") != nil {
						t.Errorf("%s: %v", name, m)
					}
				}
			}
		}
	}
}

// CloudNativePG's Secret CLUSTER-app does as it is.
func TestCloudNativePG(t *testing.T) {
	r := render(t, production)
	volumes := object(r.one(t, "Deployment", "").at("spec.template.spec").(map[string]any)).list("volumes")
	for _, v := range volumes {
		for _, source := range object(v.(map[string]any)).list("projected.sources") {
			if s := object(source.(map[string]any)); s.text("secret.name") == "wicket-db-app" &&
				s.text("secret.items.0.key") == "uri" && s.text("secret.items.0.path") == "WICKET_DATABASE_URL" {
				return
			}
		}
	}
	t.Errorf("no volume has the key uri of wicket-db-app: %v", volumes)
}

// Pods talk to whom they need, and metrics have a port that no route leads to.
func TestNetwork(t *testing.T) {
	ports := func(r rendered) (found []string) {
		for _, rule := range r.one(t, "NetworkPolicy", "").list("spec.egress") {
			for _, p := range object(rule.(map[string]any)).list("ports") {
				found = append(found, object(p.(map[string]any)).text("protocol")+" "+toText(object(p.(map[string]any)).at("port")))
			}
		}
		return found
	}
	if got := ports(render(t, trial)); !slices.Equal(got, []string{"UDP 53", "TCP 53", "TCP 443"}) {
		t.Errorf("alone it calls %v", got)
	}
	if got := ports(render(t, production, `{redis: {existingSecret: r}, smtp: {existingSecret: m}}`)); !slices.Equal(
		got, []string{"UDP 53", "TCP 53", "TCP 443", "TCP 5432", "TCP 6379", "TCP 465", "TCP 587"},
	) {
		t.Errorf("with a database, Redis and mail it calls %v", got)
	}
	everything := render(t, readFile(t, "testdata/everything.values.yaml"))
	policy := everything.one(t, "NetworkPolicy", "")
	if policy.at("spec.egress.1.to.0.ipBlock.cidr") != "0.0.0.0/0" ||
		policy.at("spec.egress.2.to.0.podSelector.matchLabels.cnpg~io/cluster") != "wicket-db" {
		t.Errorf("the rules for what goes out: %v", policy.at("spec.egress"))
	}
	const namespace = "to.0.namespaceSelector.matchLabels.kubernetes~io/metadata~name"
	if names := object(policy.list("spec.egress")[0].(map[string]any)); names.text(namespace) != "kube-system" {
		t.Errorf("names are asked for of %v", names)
	}
	elsewhere := render(t, production,
		`{networkPolicy: {dns: {to: [{ipBlock: {cidr: 169.254.20.10/32}}], ports: [5353]}}}`).one(t, "NetworkPolicy", "")
	if elsewhere.at("spec.egress.0.to.0.ipBlock.cidr") != "169.254.20.10/32" ||
		toText(elsewhere.at("spec.egress.0.ports.0.port")) != "5353" {
		t.Errorf("names are asked for of %v", elsewhere.list("spec.egress")[0])
	}
	for _, taken := range []string{
		`{config: {WICKET_TRUSTED_PROXIES: '10.0.0.0/8,fd00::/32 none'}}`,
		`{config: {WICKET_TRUSTED_PROXIES: 0.0.0.0/0}, networkPolicy: {from: [{podSelector: {}}]}}`,
	} {
		render(t, production, taken)
	}
	if from := policy.list("spec.ingress.0.from"); len(from) != 2 ||
		object(from[1].(map[string]any)).at("podSelector.matchLabels.app~kubernetes~io/component") != "check" {
		t.Errorf("who may call: %v; want those that were named, and helm test", from)
	}
	for _, c := range []struct{ kind, path string }{{"Ingress", "spec.rules.0.http.paths.0.backend.service.port.name"}, {"HTTPRoute", "spec.rules.0.backendRefs.0.port"}} {
		if port := everything.one(t, c.kind, "").at(c.path); port != "http" && toText(port) != "8443" {
			t.Errorf("%s leads to the port %v", c.kind, port)
		}
	}
	for _, p := range everything.one(t, "Service", "id").list("spec.ports") {
		if object(p.(map[string]any)).text("name") == "metrics" {
			t.Error("the Service that routes lead to has the metrics")
		}
	}
	testHTTPSAndMetrics(t, ports)
	if off := render(t, production, `{networkPolicy: {enabled: false}}`); off.count("NetworkPolicy") != 0 {
		t.Error("the policy cannot be switched off")
	}
}

// testHTTPSAndMetrics checks that https leads to public addresses, and that one namespace may read the metrics, unless
// the values say otherwise.
func testHTTPSAndMetrics(t *testing.T, ports func(rendered) []string) {
	t.Helper()
	policy := render(t, production).one(t, "NetworkPolicy", "")
	var refused []netip.Prefix
	for _, peer := range policy.list("spec.egress.1.to") {
		for _, network := range object(peer.(map[string]any)).list("ipBlock.except") {
			refused = append(refused, netip.MustParsePrefix(network.(string)))
		}
	}
	for _, address := range []string{
		"10.96.0.1", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "127.0.0.1", "fd00:ec2::254", "fe80::1",
	} {
		ip := netip.MustParseAddr(address)
		if !slices.ContainsFunc(refused, func(network netip.Prefix) bool { return network.Contains(ip) }) {
			t.Errorf("https may go to %s", address)
		}
	}
	metrics := policy.list("spec.ingress.1.from")
	const name = "namespaceSelector.matchLabels.kubernetes~io/metadata~name"
	if len(metrics) != 1 || object(metrics[0].(map[string]any)).text(name) != "monitoring" {
		t.Errorf("the metrics may be read by %v", metrics)
	}
	nobody := render(t, production, `{networkPolicy: {metricsFrom: [], https: {enabled: false}}}`)
	if rules := nobody.one(t, "NetworkPolicy", "").list("spec.ingress"); len(rules) != 1 {
		t.Errorf("nobody may read the metrics, and the rules are %v", rules)
	}
	if got := ports(nobody); slices.Contains(got, "TCP 443") {
		t.Errorf("without https it calls %v", got)
	}
}

// Ingress and HTTPRoute lead to the issuer's host, to no other.
func TestRoutesAreTheIssuers(t *testing.T) {
	r := render(
		t, production,
		`{issuer: "https://sign-in.example.org:8443", ingress: {enabled: true, tlsSecret: c}, httpRoute: {enabled: true, parentRefs: [{name: g}]}, config: {WICKET_TRUSTED_PROXIES: none}}`,
	)
	for _, c := range []struct{ kind, path string }{{"Ingress", "spec.rules.0.host"}, {"Ingress", "spec.tls.0.hosts.0"}, {"HTTPRoute", "spec.hostnames.0"}} {
		if host := r.one(t, c.kind, "").text(c.path); host != "sign-in.example.org" {
			t.Errorf("%s %s is %q", c.kind, c.path, host)
		}
	}
}
