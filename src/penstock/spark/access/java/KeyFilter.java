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
        HttpServletRequest httpRequest = (HttpServletRequest) request;
        HttpServletResponse httpResponse = (HttpServletResponse) response;
        // Browsers send a cookie to every port of a host, so the cookie's name contains the port.
        String name = "penstock-" + httpRequest.getLocalPort();
        String inAddress = httpRequest.getParameter("key");
        if (inAddress != null && "GET".equals(httpRequest.getMethod()) && Secret.matches(this.file, inAddress)) {
            httpResponse.addHeader("Set-Cookie", name + "=" + inAddress + "; Path=/; HttpOnly; SameSite=Lax");
            httpResponse.setHeader("Referrer-Policy", "no-referrer");
            httpResponse.setHeader("Cache-Control", "no-store");
            httpResponse.sendRedirect(httpRequest.getRequestURI());
            return;
        }
        String header = httpRequest.getHeader("Authorization");
        boolean hasKey = header != null && header.startsWith(BEARER)
            && Secret.matches(this.file, header.substring(BEARER.length()).trim());
        Cookie[] cookies = httpRequest.getCookies();
        for (int i = 0; !hasKey && cookies != null && i < cookies.length; i++) {
            hasKey = cookies[i].getName().equals(name) && Secret.matches(this.file, cookies[i].getValue());
        }
        if (hasKey) {
            chain.doFilter(request, response);
            return;
        }
        httpResponse.setStatus(HttpServletResponse.SC_FORBIDDEN);
        httpResponse.setContentType("text/plain;charset=utf-8");
        httpResponse.getWriter().println("This Spark UI asks for its key. `penstock status --show-secret` prints a link with it.");
    }
}
