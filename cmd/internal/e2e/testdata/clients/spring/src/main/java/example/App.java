package example;

import java.util.Map;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** An app that people sign in to, and an API beside it. */
@SpringBootApplication
@RestController
public class App {
  public static void main(String[] arguments) {
    SpringApplication.run(App.class, arguments);
  }

  @GetMapping("/who")
  Map<String, Object> who(@AuthenticationPrincipal OidcUser person) {
    return Map.of("name", person.getFullName(), "email", person.getEmail(), "sub", person.getSubject());
  }

  @GetMapping("/orders")
  Map<String, Object> orders(Authentication caller) {
    return Map.of("for", caller.getName());
  }
}
