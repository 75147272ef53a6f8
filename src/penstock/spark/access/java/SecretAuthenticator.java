package penstock.access;

import java.io.IOException;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/**
 * Login check of the Thrift server: the password is the server's secret, whatever the user's name.
 *
 * <p>The system property penstock.secret.file names the file. A file that can't be read lets nobody in.
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
