package example;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
class Security {
  @Bean
  @Order(1)
  SecurityFilterChain forTheAPI(HttpSecurity http) throws Exception {
    return http
        .securityMatcher("/orders")
        .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_read"))
        .oauth2ResourceServer(server -> server.jwt(withDefaults()))
        .build();
  }

  @Bean
  @Order(2)
  SecurityFilterChain forTheApp(HttpSecurity http, ClientRegistrationRepository registrations) throws Exception {
    var atWicketToo = new OidcClientInitiatedLogoutSuccessHandler(registrations);
    atWicketToo.setPostLogoutRedirectUri("{baseUrl}/");
    return http
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .oauth2Login(withDefaults())
        .logout(logout -> logout.logoutSuccessHandler(atWicketToo))
        .build();
  }
}
