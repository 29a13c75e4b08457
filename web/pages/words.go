package pages

import (
	"html/template"
	"text/template/parse"

	"github.com/wicket-id/wicket/web/locales"
)

// writeWords writes the messages without parameters into the templates of a page: {{t "signin.title"}} becomes text.
// They are most of the words, and none of them is looked up when a page is shown.
func writeWords(page *template.Template, language *locales.Language) {
	for _, part := range page.Templates() {
		if part.Tree != nil {
			writeInto(part.Tree.Root, language)
		}
	}
}

func writeInto(list *parse.ListNode, language *locales.Language) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			if text, ok := words(node.Pipe, language); ok {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: node.Pos, Text: []byte(text)}
			}
		case *parse.IfNode:
			writeInto(node.List, language)
			writeInto(node.ElseList, language)
		case *parse.RangeNode:
			writeInto(node.List, language)
			writeInto(node.ElseList, language)
		case *parse.WithNode:
			writeInto(node.List, language)
			writeInto(node.ElseList, language)
		}
	}
}

// words is what a call of t or markup with nothing but a key stands for, as HTML.
func words(pipe *parse.PipeNode, language *locales.Language) (string, bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return "", false
	}
	function, isFunction := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	key, isKey := pipe.Cmds[0].Args[1].(*parse.StringNode)
	switch {
	case !isFunction || !isKey:
	case function.Ident == "t":
		return template.HTMLEscapeString(language.Text(locales.Key(key.Text))), true
	case function.Ident == "markup":
		return string(language.Markup(locales.Key(key.Text), nil)), true
	}
	return "", false
}
