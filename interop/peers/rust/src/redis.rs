//! As much of RESP2 as the contract of the transport test needs.
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub struct Redis(BufReader<TcpStream>);

impl Redis {
    pub async fn connect(address: &str) -> std::io::Result<Self> {
        Ok(Redis(BufReader::new(TcpStream::connect(address).await?)))
    }

    /// Sends one command and returns the strings of its answer, none for nil.
    pub async fn call(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        let mut command = format!("*{}\r\n", words.len());

        for word in words {
            command += &format!("${}\r\n{word}\r\n", word.len());
        }

        self.0
            .write_all(command.as_bytes())
            .await
            .map_err(|error| error.to_string())?;

        let mut answers = Vec::new();
        let mut expected = 1;

        while expected > 0 {
            expected -= 1;

            let mut line = String::new();
            self.0
                .read_line(&mut line)
                .await
                .map_err(|error| error.to_string())?;
            let (kind, rest) = line.trim_end().split_at(1);
            let count: i64 = rest.parse().unwrap_or(0);

            match kind {
                "-" => return Err(format!("redis: {rest}")),
                "*" => expected += count.max(0),
                "$" if count >= 0 => {
                    let mut data = vec![0; count as usize + 2];
                    self.0
                        .read_exact(&mut data)
                        .await
                        .map_err(|error| error.to_string())?;
                    data.truncate(count as usize);
                    answers.push(String::from_utf8_lossy(&data).into_owned());
                }
                "$" => {}
                _ => answers.push(rest.to_string()),
            }
        }

        Ok(answers)
    }
}
