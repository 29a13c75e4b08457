package pages

import (
	"fmt"

	"github.com/wicket-id/wicket/web/assets"
)

// CheckSession is a page for frames of other sites, which nobody sees: there is nothing in it but the script that
// answers their pages (OpenID Connect Session Management, section 3.3). It is the same for everybody.
var CheckSession = fmt.Appendf(nil, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Session</title>
<script src="%s" defer></script>
</head>
<body></body>
</html>
`, assets.Path("checksession.js"))
