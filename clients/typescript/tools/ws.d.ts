// What is used of the package ws, which has no types of its own.
declare module "ws" {
	export const WebSocket: new (url: string) => import("../src/connector.js").Socket;
}
