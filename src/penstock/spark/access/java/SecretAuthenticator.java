package penstock.access;

import java.io.IOException;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/**
 * Login check of the Thrift server: the password must be the server's secret; any user name is accepted.
 *
 * <p>The system property penstock.secret.file is the path of the secret's file. When it can't be read, every login
 * fails.
 */
public final class SecretAuthenticator implements PasswdAuthenticationProvider {
    public void Authenticate(String user, String password) throws AuthenticationException {
        boolean right;
        try {
            right = Secret.matches(System.getProperty("penstock.secret.file"), password);
        } catch (IOException error) {
            throw new AuthenticationException("the server can't read its secret", error);
        }
        if (!right) {
            throw new AuthenticationException("wrong password: `penstock status --show-secret` prints the right one");
        }
    }
}
