// Package completion knows what may come next on a command line that kong reads, and has shells ask for it. Begin with
// [Next].
package completion

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is one word that may come next.
type Candidate struct {
	Word string
	Help string // one line, or nothing
}

// Next returns what may stand in place of the last word: subcommands, flags where it begins with a dash, or the values
// that a flag or an argument is limited to. words are those after the program's name; the last is what has been typed
// of the one to complete, and may be empty. Nothing is returned where anything may stand there, such as a file.
func Next(app *kong.Application, words []string) []Candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	at, typed := position{node: app.Node}, words[len(words)-1]
	for _, word := range words[:len(words)-1] {
		at.pass(word)
	}
	name, value, given := strings.Cut(typed, "=")
	switch {
	case at.flag != nil:
		return enum(at.flag.Value, "", typed)
	case at.isRest:
		return enum(at.argument(), "", typed)
	case given && strings.HasPrefix(typed, "-"):
		if flag := at.find(name); flag != nil {
			return enum(flag.Value, name+"=", value)
		}
		return nil
	case strings.HasPrefix(typed, "-"):
		return at.flags(typed)
	}
	return append(at.commands(typed), enum(at.argument(), "", typed)...)
}

// position is how far a command line has been read.
type position struct {
	node      *kong.Node
	arguments int        // how many the node has got
	flag      *kong.Flag // waits for its value
	isRest    bool       // no flags come any more
}

// pass reads a word that is complete.
func (p *position) pass(word string) {
	switch {
	case p.flag != nil:
		p.flag = nil
	case p.isRest:
		p.arguments++
	case word == "--":
		p.isRest = true
	case strings.HasPrefix(word, "-"):
		if flag := p.find(word); flag != nil && !flag.IsBool() && !flag.IsCounter() {
			p.flag = flag
		}
	default:
		for _, child := range p.node.Children {
			if child.Type == kong.CommandNode && child.Name == word {
				p.node, p.arguments = child, 0
				return
			}
		}
		p.arguments++
	}
}

// find returns the flag that a word names, or nil.
func (p *position) find(word string) *kong.Flag {
	for _, group := range p.node.AllFlags(false) {
		for _, flag := range group {
			if word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

// flags returns the flags that begin with what was typed.
func (p *position) flags(typed string) (found []Candidate) {
	for _, group := range p.node.AllFlags(true) {
		for _, flag := range group {
			if word := "--" + flag.Name; strings.HasPrefix(word, typed) {
				found = append(found, Candidate{word, line(flag.Help)})
			}
			if word := "--no-" + flag.Name; flag.Tag.Negatable != "" && strings.HasPrefix(word, typed) {
				found = append(found, Candidate{word, ""})
			}
		}
	}
	return found
}

// commands returns the subcommands that begin with what was typed.
func (p *position) commands(typed string) (found []Candidate) {
	for _, child := range p.node.Children {
		if child.Type == kong.CommandNode && !child.Hidden && strings.HasPrefix(child.Name, typed) {
			found = append(found, Candidate{child.Name, line(child.Help)})
		}
	}
	return found
}

// argument returns the argument that comes next, or nil.
func (p *position) argument() *kong.Value {
	if p.arguments < len(p.node.Positional) {
		return p.node.Positional[p.arguments]
	}
	return nil
}

// enum returns the values that begin with what was typed, of a flag or an argument that allows only some.
func enum(value *kong.Value, before, typed string) (found []Candidate) {
	if value == nil {
		return nil
	}
	for _, allowed := range value.EnumSlice() {
		if allowed != "" && strings.HasPrefix(allowed, typed) {
			found = append(found, Candidate{Word: before + allowed})
		}
	}
	return found
}

// line is the first sentence of a help text, for a list.
func line(help string) string {
	sentence, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(strings.Join(strings.Fields(sentence), " "), ".")
}
