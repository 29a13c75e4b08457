package oidc

import "testing"

// What is kept of an address that was sent is its place alone: nothing that could be a secret.
func TestWhatIsKeptOfAnAddress(t *testing.T) {
	for sent, kept := range map[string]string{
		"https://app.example/cb":               "https://app.example/cb",
		"HTTPS://App.example/CB/":              "HTTPS://App.example/CB/", // in what it differs is the point
		"http://localhost:3000":                "http://localhost:3000",
		"com.example.app:/cb":                  "com.example.app:/cb",
		"https://app.example/cb?code=s3cr3t":   "https://app.example/cb?…",
		"https://app.example/cb#token=s3cr3t":  "https://app.example/cb#…",
		"https://app.example/cb?a#b":           "https://app.example/cb?…",
		"https://me:s3cr3t@app.example/cb":     "https://app.example…",
		"javascript:alert('s3cr3t')":           "javascript:…",
		"s3cr3t":                               "",
		"/cb":                                  "",
		"":                                     "",
		"https://app.example/\ncb":             "",
		"https://app.example/%zz?code=s3cr3t":  "",
		"com.example.app:s3cr3t":               "com.example.app:…",
		"https://app.example/callback?":        "https://app.example/callback?…",
		"https://app.example/cb/ ":             "https://app.example/cb/ ",
		"http://[::1]:8080/cb":                 "http://[::1]:8080/cb",
		"https://me:s3cr3t@app.example/cb?x=y": "https://app.example…",
	} {
		if got := SentURI(sent); got != kept {
			t.Errorf("%q is kept as %q, not %q", sent, got, kept)
		}
	}
	for kept, whole := range map[string]bool{
		"https://app.example/cb": true, "https://app.example/cb?…": false, "": false,
	} {
		if IsWhole(kept) != whole {
			t.Errorf("%q is whole: %t", kept, !whole)
		}
	}
}

// A secret in the place of a name is not kept, and names of apps are.
func TestWhatIsKeptOfAName(t *testing.T) {
	for _, name := range []string{
		"", "grafana", "my-internal-dashboard-production", "0191f2a0-7c1b-7e55-8a3c-1c2d3e4f5a6b", "App2", "offline_access",
		"https://app.example/client.json", "1234567890-abc123def.apps.example.com", "INTERNAL_DASHBOARD_2",
		"urn:ietf:params:oauth:grant-type:device_code", "0123456789",
	} {
		if got := SentName(name); got != name {
			t.Errorf("%q is kept as %q", name, got)
		}
	}
	for _, secret := range []string{
		"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWo", "wkt_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWo0a5b6c7d",
		"d41d8cd98f00b204e9800998ecf8427e", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "aB3-dE6_gH9-jK2_mN5-pQ8",
		"Zm9vYmFy/mF6cXV4MTIz+DU2Nzg5MGFiY2RlZmdoaWo=", // of openssl rand -base64 32
	} {
		if got := SentName(secret); got != secret[:4]+"…" {
			t.Errorf("%q is kept as %q", secret, got)
		}
	}
}

// A reason belongs to the answer that was refused, not to the error that all such answers begin with.
func TestReasonLeavesTheErrorAsItWas(t *testing.T) {
	common := InvalidRequest("No.")
	refused := common.Because(MissingPKCE, []string{"a"}, "b")
	if common.Reason.Code != "" || refused.Reason.Code != MissingPKCE || refused.Error() != common.Error() {
		t.Errorf("%+v became %+v", common, refused)
	}
}
