// Package access decides who may link to a router and what each may do there.
//
// A peer shows a [Credential]: a token or a client certificate. An [Authority] turns it into a [Principal], by the hashes of tokens in a
// file, by the signature of a JSON Web Token, or by the name in a certificate that TLS has verified. [Rules] say which rights the
// principal has. An Authority never changes: a reload loads another one and has it judge every link again.
package access
