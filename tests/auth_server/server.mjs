// A real Better Auth server for the tests of an API that takes its tokens. It keeps its users in memory.
//
//   node server.mjs      prints one JSON line when it is ready: {"port": 3900}
//
// PORT=0 ISSUER_URL=http://localhost:3000 BETTER_AUTH_SECRET=...   who it is, whatever its port
// JWT_MODE=eddsa|es256|rs256|hs256-sign                            what its jwt plugin signs with
// JWKS_ROTATION=1                                                  seconds after which a new key signs
// JWT_AUDIENCE=...                                                 another audience than its URL
// TRUSTED_ORIGINS=http://localhost:3000                            pages that may call it
// INSTANCES='[{"PORT": "3901", "JWT_MODE": "es256"}, ...]'         several servers in this process: what is
//                                                                  different for each
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";
import { SignJWT } from "jose";

function serve(env) {
  const secret = env.BETTER_AUTH_SECRET;
  const key = new TextEncoder().encode(secret);
  const origins = (env.TRUSTED_ORIGINS ?? "http://localhost:3000").split(",");
  const verificationTokens = new Map();

  const audience = env.JWT_AUDIENCE ? { audience: env.JWT_AUDIENCE } : {};

  // The one door of the plugin to HS256 is a custom sign function, which needs a remote key set.
  const customSign = {
    jwks: { remoteUrl: "http://localhost/unused", keyPairConfig: { alg: "EdDSA" } },
    jwt: {
      ...audience,
      sign: (payload) =>
        new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key),
    },
  };
  const algorithms = { eddsa: "EdDSA", es256: "ES256", rs256: "RS256" };
  const ownKeys = () => ({
    jwks: {
      keyPairConfig: { alg: algorithms[env.JWT_MODE ?? "eddsa"] },
      ...(env.JWKS_ROTATION ? { rotationInterval: Number(env.JWKS_ROTATION), gracePeriod: 3600 } : {}),
    },
    jwt: audience,
  });

  const auth = betterAuth({
    baseURL: env.ISSUER_URL,
    secret,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
    trustedOrigins: origins,
    emailAndPassword: { enabled: true },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ user, token }) => verificationTokens.set(user.email, token),
    },
    session: { cookieCache: { enabled: true, maxAge: 300, strategy: "jwt" } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    plugins: [jwt(env.JWT_MODE === "hs256-sign" ? customSign : ownKeys()), bearer()],
  });

  // What front ends do in a route of their own: a token from the session, under the shared secret.
  async function handMade(headers) {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(headers) });
    return new SignJWT({ sub: session.user.id, email: session.user.email })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(key);
  }

  const handler = toNodeHandler(auth);

  const server = createServer(async (request, response) => {
    const origin = request.headers.origin;
    if (origins.includes(origin)) {
      // Better Auth sends no Access-Control-Allow-* itself.
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Access-Control-Allow-Credentials", "true");
      response.setHeader("Access-Control-Allow-Headers", "authorization,content-type");
    }
    const { pathname, searchParams } = new URL(request.url, env.ISSUER_URL);
    if (request.method === "OPTIONS") response.writeHead(204).end();
    else if (pathname === "/hand-made-token")
      response.end(JSON.stringify({ token: await handMade(request.headers) }));
    else if (pathname === "/verification-token")
      response.end(JSON.stringify({ token: verificationTokens.get(searchParams.get("email")) }));
    else handler(request, response);
  });

  server.listen(Number(env.PORT ?? 0), "127.0.0.1", () =>
    console.log(JSON.stringify({ port: server.address().port })),
  );
}

for (const different of JSON.parse(process.env.INSTANCES ?? "[{}]"))
  serve({ ...process.env, ...different });
process.on("SIGTERM", () => process.exit(0));
