package penstock.access;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * Rejects requests to Spark's UI without its key, which is in the header "Authorization: Bearer KEY" or in a cookie.
 * The parameter "?key=KEY" sets the cookie and redirects to the same page without the key.
 *
 * <p>The init parameter "file" is the path of the key's file. When it can't be read, every request fails.
 */
public final class KeyFilter implements Filter {
    private static final String BEARER = "Bearer ";
    private String file;

    public void init(FilterConfig config) throws ServletException {
        this.file = config.getInitParameter("file");
    }

    public void destroy() {}

    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest asked = (HttpServletRequest) request;
        HttpServletResponse answer = (HttpServletResponse) response;
        // Browsers send a cookie to every port of a host, so the cookie's name contains the port.
        String name = "penstock-" + asked.getLocalPort();
        String inAddress = asked.getParameter("key");
        if (inAddress != null && "GET".equals(asked.getMethod()) && Secret.matches(this.file, inAddress)) {
            answer.addHeader("Set-Cookie", name + "=" + inAddress + "; Path=/; HttpOnly; SameSite=Lax");
            answer.setHeader("Referrer-Policy", "no-referrer");
            answer.setHeader("Cache-Control", "no-store");
            answer.sendRedirect(asked.getRequestURI());
            return;
        }
        String header = asked.getHeader("Authorization");
        boolean known = header != null && header.startsWith(BEARER)
            && Secret.matches(this.file, header.substring(BEARER.length()).trim());
        Cookie[] cookies = asked.getCookies();
        for (int i = 0; !known && cookies != null && i < cookies.length; i++) {
            known = cookies[i].getName().equals(name) && Secret.matches(this.file, cookies[i].getValue());
        }
        if (known) {
            chain.doFilter(request, response);
            return;
        }
        answer.setStatus(HttpServletResponse.SC_FORBIDDEN);
        answer.setContentType("text/plain;charset=utf-8");
        answer.getWriter().println("This Spark UI asks for its key. `penstock status --show-secret` prints a link with it.");
    }
}
