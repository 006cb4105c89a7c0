package interop

var idScenarios = []scenario{
	{name: "Id_AnyJSONValue", trees: AnyTree, run: func(w *World) {
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		for i, json := range []string{
			`null`, `true`, `0`, `-1`, `18446744073709551615`, `-9223372036854775808`, `1.5`, `1e300`, `""`, `[]`, `{}`,
			`[1,[2,[3]]]`, `{"filter":{"name":"x","tags":["a",null]}}`,
			`"dž é ẞ"`, `"🦀 👩‍👩‍👧 e\u0301"`, `"\u0000\u001f\"\\/"`, `"日本語"`, `{"ключ":"значение","":0}`,
		} {
			object := Object{Tags: []string{json}, JSON: json}
			// Spelling may differ between what is asked and what is printed: the sink is found by being next.
			observe := observer.ObserveObject(object)
			sent := exposer.ExposeObject(object).Sink().Send(NewState(json, int64(i)+1))
			observe.Stream().WaitFor(sent)
		}
	}},
	{name: "Id_SpellingDoesNotMatter", trees: AnyTree, referenceOnly: "our library refuses duplicate keys", run: func(w *World) {
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		for i, spelling := range [][2]string{
			{`{"a":1,"b":[2,3]}`, "{ \"b\" : [2,\n3] , \"a\" : 1 }"},
			{`"é/"`, `"\u00e9\/"`},
			{`{"a":2}`, `{"a":1,"a":2}`},
			{`100.0`, `1e2`},
			{`0.0`, `-0.0`},
			{`"🦀"`, `"\ud83e\udd80"`},
		} {
			tag := Text("spelling")
			observe := observer.ObserveObject(Object{Tags: []string{tag}, JSON: spelling[0]})
			sent := exposer.ExposeObject(Object{Tags: []string{tag}, JSON: spelling[1]}).Sink().Send(NewState("same", int64(i)+1))
			observe.Stream().WaitFor(sent)
		}
	}},
	{name: "Id_DifferentValuesAreDifferentObjects", trees: AnyTree, run: func(w *World) {
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		ids := []string{`1`, `1.0`, `"1"`, `[1]`, `{"1":null}`, `0`, `-0`, `null`, `false`, `"e\u0301"`, `"é"`}
		for i, json := range ids {
			object := Object{JSON: json}
			observe := observer.ObserveObject(object)
			sent := exposer.ExposeObject(object).Sink().Send(NewState("only "+json, int64(i)+1))
			observe.Stream().WaitFor(sent)
		}
		exposer.never("a second sink", quiet, func(e event) bool { return e.Event == "sink-offered" })
	}},
	{name: "Id_TagsArePartOfIt", trees: AnyTree, run: func(w *World) {
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		for i, object := range []Object{NewObject("x"), NewObject("x", "a"), NewObject("x", "b"), NewObject("x", "a", "b")} {
			expose := exposer.ExposeObject(object)
			expose.NoSink(quiet / 4)
			observe := observer.ObserveObject(object)
			observe.Stream().WaitFor(expose.Sink().Send(NewState("own", int64(i)+1)))
		}
	}},
	{name: "Id_TagsHaveNoOrder", trees: AnyTree, run: func(w *World) {
		tags := []string{Text("a"), `{"b":1}`, `3`, `null`, `["c"]`}
		turned := []string{tags[3], tags[1], tags[4], tags[0], tags[2], tags[0]}
		observe := w.Peer("observer", Right).ObserveObject(Object{Tags: tags, JSON: Text("x")})
		sent := w.Peer("exposer", Left).ExposeObject(Object{Tags: turned, JSON: Text("x")}).Sink().Send(NewState("one object", 1))
		observe.Stream().WaitFor(sent)
	}},
	{name: "Id_RichTags", trees: AnyTree, run: func(w *World) {
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		for i, tag := range []string{`{"kind":"rooms","floor":3}`, `null`, `3.0`, `[]`, `"🦀"`} {
			expose := exposer.ExposeTag(tag)
			observe := observer.ObserveObject(Object{Tags: []string{tag}, JSON: Text("x")})
			sent := expose.Sink().Send(NewState(tag, int64(i)+1))
			observe.Stream().WaitFor(sent)
		}
	}},
	{name: "Id_DeepAndLong", trees: AnyTree, run: func(w *World) {
		deep, long := "", ""
		for range 120 {
			deep += "["
		}
		for range 120 {
			deep += "]"
		}
		for range 10_000 {
			long += "x"
		}
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		for i, json := range []string{deep, Text(long)} {
			object := Object{Tags: []string{json}, JSON: json}
			observe := observer.ObserveObject(object)
			observe.Stream().WaitFor(exposer.ExposeObject(object).Sink().Send(NewState("reached", int64(i)+1)))
		}
	}},
}
