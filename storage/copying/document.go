package copying

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// document is JSON in two forms: as it is written into a database, and as it compares. PostgreSQL keeps neither the
// order of names nor how a number was written.
type document struct{ text, compared string }

func newDocument(text string) (document, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var content any
	if err := decoder.Decode(&content); err != nil {
		return document{}, fmt.Errorf("is no JSON: %w", err)
	}
	written, err := encoded(mapped(content, func(n json.Number) json.Number { return n }))
	if err != nil {
		return document{}, err
	}
	compared, err := encoded(mapped(content, plainNumber))
	return document{written, compared}, err
}

func encoded(content any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(content) // names in order
	return strings.TrimSuffix(text.String(), "\n"), err
}

// mapped is a document with its texts mended and its numbers changed.
func mapped(content any, number func(json.Number) json.Number) any {
	switch content := content.(type) {
	case string:
		return mended(content)
	case json.Number:
		return number(content)
	case []any:
		list := make([]any, len(content))
		for i := range content {
			list[i] = mapped(content[i], number)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(content))
		for name, value := range content {
			object[mended(name)] = mapped(value, number)
		}
		return object
	}
	return content
}

// plainNumber writes a number as its digits and an exponent, so that 150, 150.0 and 1.5e2 are the same: 15e1.
func plainNumber(number json.Number) json.Number {
	mantissa, power, _ := strings.Cut(strings.ToLower(string(number)), "e")
	exponent, err := strconv.ParseInt(cmp.Or(power, "0"), 10, 32)
	if err != nil {
		return number // no database would take it
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return "0"
	}
	exponent += int64(len(digits) - len(significant) - len(fraction))
	return json.Number(sign + significant + "e" + strconv.FormatInt(exponent, 10))
}
