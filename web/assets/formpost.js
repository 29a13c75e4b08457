// Sends the form on at once. By way of the prototype: a field may be called "submit".
const form = document.getElementById("form-post");
HTMLFormElement.prototype.submit.call(form);
