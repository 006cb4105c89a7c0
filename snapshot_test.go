package hakuban

import (
	"reflect"
	"testing"
	"time"

	"hakuban/impl"
	"hakuban/wire"
)

// Each field that users see is filled from the core's: of a snapshot with something in each field, none shows nothing.
func TestSnapshot_ShowsEachField(t *testing.T) {
	core := &impl.Snapshot{}
	fill(reflect.ValueOf(core).Elem())
	core.Contracts = append(core.Contracts, core.Contracts[0])
	core.Contracts[0].Kind, core.Contracts[1].Kind = impl.ExposeObject, impl.ExposeTag
	core.Links[0].Told = append(core.Links[0].Told, core.Links[0].Told[0])
	core.Links[0].Told[0].Tag = false
	s := clock{time.Unix(1, 0)}.snapshot(core, time.Second)
	for _, empty := range empties("Snapshot", reflect.ValueOf(s)) {
		switch empty {
		case "Snapshot.Contracts[0].Tag", "Snapshot.Contracts[1].Object", "Snapshot.Links[0].Told[0].Tag", "Snapshot.Links[0].Told[1].Object":
		default:
			t.Errorf("%s shows nothing", empty)
		}
	}
}

// fill sets each field to something, and each slice to one element.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[impl.Synchronized]() {
			v.Set(reflect.ValueOf(impl.Synchronized{Mono: 1}))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString(`"x"`)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	default:
		v.SetUint(1)
	}
}

// empties lists the zero values within a value.
func empties(name string, v reflect.Value) (list []string) {
	if v.IsZero() {
		return []string{name}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				list = append(list, empties(name+"."+f.Name, v.Field(i))...)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, empties(name+"["+string(rune('0'+i))+"]", v.Index(i))...)
		}
	}
	return list
}

// Each limit of the core is one that users can set, and its default is theirs.
func TestLimits_AreTheCores(t *testing.T) {
	for ours, cores := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[Limits]():     reflect.TypeFor[impl.Limits](),
		reflect.TypeFor[WireLimits](): reflect.TypeFor[wire.Limits](),
	} {
		if ours.NumField() != cores.NumField() {
			t.Errorf("%v has %d fields, %v has %d", ours, ours.NumField(), cores, cores.NumField())
		}
	}
	want := &impl.Limits{}
	fill(reflect.ValueOf(want).Elem())
	got := &Limits{}
	fill(reflect.ValueOf(got).Elem())
	if got.core() != *want {
		t.Errorf("a limit does not reach the core: %+v", got.core())
	}
	if DefaultLimits().core() != impl.DefaultLimits {
		t.Errorf("the default limits are %+v, the core's %+v", DefaultLimits(), impl.DefaultLimits)
	}
}
