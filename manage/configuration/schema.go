package configuration

import "encoding/json"

// Schema is the JSON Schema (2020-12) of a configuration file, by which editors complete and check one while it is
// written. What it lets through Read may still refuse.
func Schema() ([]byte, error) {
	schema := documentShape().schema()
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "Configuration file of Wicket"
	schema["required"] = []string{"version"}
	return json.MarshalIndent(schema, "", "  ")
}

// schema is the JSON Schema of a shape.
func (s *shape) schema() map[string]any {
	switch s.kind {
	case truth:
		return map[string]any{"type": "boolean"}
	case number:
		return map[string]any{"type": "integer"}
	case list:
		return map[string]any{"type": "array", "items": s.of.schema()}
	case table:
		return map[string]any{"type": "object", "additionalProperties": s.of.schema()}
	case whole:
		return map[string]any{"type": "object"}
	case object:
		properties := map[string]any{}
		for _, m := range s.members {
			if m.name == memberSecret {
				continue // which has no place in a file
			}
			property := m.shape.schema()
			if m.words != "" {
				property["description"] = m.words
			}
			properties[m.name] = property
		}
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
	if s.either != nil {
		return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, s.either.schema()}}
	}
	return map[string]any{"type": "string"}
}
