// Shows the API's description with Swagger UI, from files of ours only.
(() => {
  "use strict";
  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.description,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    persistAuthorization: false,
    presets: [window.SwaggerUIBundle.presets.apis],
  });
})();
