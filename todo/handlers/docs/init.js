/* The page at /docs: Swagger UI over the contract of this server. */

/* Every operation has a dozen answers that are errors. They are folded behind a button, so that its
   parameters and its result are on one screen. */
const FoldedErrors = (system) => ({
  wrapComponents: {
    responses: (Responses) => (props) => {
      const { useState, createElement } = system.React;
      const [open, setOpen] = useState(false);
      const results = props.responses.filter((_, status) => status < "400");
      const errors = props.responses.size - results.size;
      return createElement(
        "div",
        null,
        createElement(Responses, { ...props, responses: open ? props.responses : results }),
        errors > 0 && createElement(
          "button",
          {
            type: "button",
            className: "btn errors-button",
            "aria-expanded": open,
            onClick: () => setOpen(!open),
          },
          open ? "Hide the errors" : `Errors (${errors})`,
        ),
      );
    },
  },
});

/* Swagger UI puts "Bearer" before the token, and people paste it with the word. */
const withOneBearer = (request) => {
  const headers = request.headers ?? {};
  if (headers.Authorization) {
    headers.Authorization = headers.Authorization.replace(/^(?:Bearer\s+)+/i, "Bearer ").trim();
  }
  return request;
};

window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    persistAuthorization: true,
    validatorUrl: null,
    requestInterceptor: withOneBearer,
    plugins: [FoldedErrors],
  });
};
