module hakuban/tests/bench

go 1.26.8

require hakuban v0.0.0

require github.com/gorilla/websocket v1.5.3 // indirect

replace hakuban => ../..
