package penstock.access;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;

/** A secret in a file that only its owner can read. */
final class Secret {
    private Secret() {}

    /** Returns whether a text equals the file's content. The time it takes is independent of where they differ. */
    static boolean matches(String file, String given) throws IOException {
        if (file == null || given == null) {
            return false;
        }
        byte[] bytes = Files.readAllBytes(new File(file).toPath());
        byte[] secret = new String(bytes, StandardCharsets.UTF_8).trim().getBytes(StandardCharsets.UTF_8);
        return secret.length > 0 && MessageDigest.isEqual(secret, given.getBytes(StandardCharsets.UTF_8));
    }
}
